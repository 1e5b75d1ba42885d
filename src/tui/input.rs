//! From terminal events to the program's own keys.

use std::io;
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode as Code, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::terminal;
use zeroize::Zeroizing;

use crate::app::Input;
use crate::keymap::{Key, KeyCode};

/// Waits for the next input, at most this long; `None` when there was none with a meaning here.
///
/// # Errors
/// If the terminal is gone.
pub fn next(wait: Duration) -> io::Result<Option<Input>> {
    if !event::poll(wait)? {
        return Ok(None);
    }
    Ok(input(event::read()?))
}

/// A line typed without being shown, for passwords. Empty when it was broken off with Esc or Ctrl-C.
///
/// # Errors
/// If there is no terminal to ask at.
pub fn hidden_line() -> io::Result<Zeroizing<String>> {
    terminal::enable_raw_mode()?;
    let typed = read_hidden();
    terminal::disable_raw_mode()?;
    typed
}

fn read_hidden() -> io::Result<Zeroizing<String>> {
    let mut typed = Zeroizing::new(String::new());
    loop {
        let Event::Key(key) = event::read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            Code::Enter => return Ok(typed),
            Code::Esc => return Ok(Zeroizing::new(String::new())),
            Code::Char('c' | 'd') if ctrl => return Ok(Zeroizing::new(String::new())),
            Code::Char(c) => typed.push(c),
            Code::Backspace => {
                typed.pop();
            }
            _ => {}
        }
    }
}

/// The input that an event makes; `None` for events without meaning here (releases, focus, mouse).
fn input(event: Event) -> Option<Input> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => self::key(key).map(Input::Key),
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::Resize(columns, rows) => Some(Input::Resize(columns, rows)),
        _ => None,
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    let code = match event.code {
        // Terminals tell Shift by the character itself, so that no binding needs to name it.
        Code::Char(c) => KeyCode::Char(c),
        Code::Enter => KeyCode::Enter,
        Code::Esc => KeyCode::Esc,
        Code::Tab => KeyCode::Tab,
        Code::BackTab => KeyCode::BackTab,
        Code::Backspace => KeyCode::Backspace,
        Code::Delete => KeyCode::Delete,
        Code::Insert => KeyCode::Insert,
        Code::Up => KeyCode::Up,
        Code::Down => KeyCode::Down,
        Code::Left => KeyCode::Left,
        Code::Right => KeyCode::Right,
        Code::Home => KeyCode::Home,
        Code::End => KeyCode::End,
        Code::PageUp => KeyCode::PageUp,
        Code::PageDown => KeyCode::PageDown,
        Code::F(number) => KeyCode::F(number),
        _ => return None,
    };
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    Some(Key { code, ctrl, alt })
}
