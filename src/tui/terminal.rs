//! The terminal: taken over as a whole, given back whatever happens.

use std::io::{self, Stdout, Write};

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{self, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::wall::Wall;
use crate::app::Model;

/// The screen while the program has it. Dropping it gives the terminal back.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Wall<Stdout>>>,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Screen")
    }
}

impl Screen {
    /// Takes the terminal over: raw mode, alternate screen, pasted text kept whole.
    ///
    /// # Errors
    /// If standard output is no terminal that allows it.
    pub fn take() -> io::Result<Self> {
        enter()?;
        let terminal = Terminal::new(CrosstermBackend::new(Wall::new(io::stdout())));
        let terminal = terminal.inspect_err(|_| restore())?;
        Ok(Self { terminal })
    }

    /// Draws the model.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn draw(&mut self, model: &Model) -> io::Result<()> {
        self.terminal.draw(|frame| super::draw(frame, model)).map(|_| ())
    }

    /// Columns and rows.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    /// Forgets what is on the screen, so that the next drawing draws everything.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn forget(&mut self) -> io::Result<()> {
        // Not `clear`: that asks the terminal for its cursor, and an answer would arrive as typed keys.
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }

    /// Hands text to the terminal's clipboard (OSC 52, which also works over ssh). Terminals that do not know
    /// the sequence ignore it. The text travels in base64, so no byte of it acts on the terminal.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))
    }

    /// Takes the terminal over again after it was given back.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn retake(&mut self) -> io::Result<()> {
        enter()?;
        self.forget()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn enter() -> io::Result<()> {
    terminal::enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)
        .inspect_err(|_| restore())
}

/// Width of the terminal in columns, for what is printed without a screen; `None` where it cannot be told.
pub fn columns() -> Option<usize> {
    terminal::size().ok().map(|(columns, _)| usize::from(columns)).filter(|columns| *columns >= 20)
}

/// Gives the terminal back: safe to call twice, and from a panic hook. Errors are not reported, as there is
/// nowhere left to show them.
pub fn restore() {
    let mut out = io::stdout();
    let _ = execute!(out, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
    let _ = out.flush();
    let _ = terminal::disable_raw_mode();
}
