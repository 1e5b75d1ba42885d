//! The two rows at the bottom: what can be done here, and what just happened or is being typed.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::theme::Theme;
use super::{put, row, word};
use crate::app::prompt::Prompt;
use crate::app::{Model, Tone};
use crate::command::{Command, Context};
use crate::mail::DisplayText;

pub(super) fn draw(frame: &mut Frame, model: &Model, theme: Theme) {
    let bottom = frame.area().height;
    hints(frame, model, theme, bottom.saturating_sub(2));
    let status = row(frame, bottom.saturating_sub(1));
    frame.render_widget(Clear, status);
    if let Some(prompt) = &model.prompt {
        candidates(frame, prompt, theme, bottom.saturating_sub(2));
        line(frame, prompt, theme, status);
    } else if !model.pending.is_empty() {
        pending(frame, model, theme, status);
    } else if let Some(toast) = &model.toast {
        let style = match toast.tone {
            Tone::Done => theme.good(),
            Tone::Note => theme.plain(),
            Tone::Error => theme.alarm(),
        };
        let text = toast.text.fit(usize::from(status.width.saturating_sub(1)));
        put(frame, status, Line::styled(format!(" {}", text.as_str()), style));
    } else if let Some(upkeep) = &model.upkeep {
        put(
            frame,
            status,
            Line::from(word(&format!(" {upkeep}"), usize::from(status.width), theme.notice())),
        );
    }
}

/// The commands worth naming in each context, most useful first.
const fn worth_naming(context: Context) -> &'static [Command] {
    use Command as C;
    match context {
        Context::Queue => &[
            C::Open,
            C::Filter,
            C::CycleFilter,
            C::Sort,
            C::Deadlines,
            C::Sync,
            C::Undo,
            C::CommandLine,
            C::Help,
            C::Quit,
        ],
        Context::Case => &[
            C::NextPane,
            C::AcceptSuggestions,
            C::Yes,
            C::No,
            C::Evidence,
            C::Mark,
            C::Decline,
            C::NeedInfo,
            C::AcceptCase,
            C::Score,
            C::Advisory,
            C::Undo,
            C::Help,
            C::Back,
        ],
        Context::Editor => &[C::Save, C::WriteEml, C::Back],
        Context::Advisory => &[
            C::EditField,
            C::NextMissing,
            C::Yes,
            C::No,
            C::Clear,
            C::Export,
            C::NextFormat,
            C::NextPane,
            C::EditAdvisory,
            C::Undo,
            C::Help,
            C::Back,
        ],
        Context::Calculator => &[C::Accept, C::Down, C::Clear, C::SwitchVersion, C::Help, C::Back],
        Context::Form => &[C::Accept, C::Down, C::Up, C::Back, C::Help],
        Context::Prompt => &[C::Accept, C::Complete, C::Back],
        Context::Overlay => &[C::Accept, C::Down, C::Up, C::Back],
        Context::Global => &[C::Help, C::Quit],
    }
}

fn hints(frame: &mut Frame, model: &Model, theme: Theme, y: u16) {
    let context = model.context();
    let area = row(frame, y);
    frame.render_widget(Clear, area);
    let mut spans = Vec::new();
    let mut left = usize::from(area.width).saturating_sub(1);
    for command in worth_naming(context) {
        let Some(key) = model.keymap.keys_of(context, *command).into_iter().next() else {
            continue;
        };
        let name = command.name();
        let width = DisplayText::line(&key).width() + name.len() + 3;
        if width > left {
            break;
        }
        left -= width;
        spans.push(Span::raw(" "));
        spans.push(Span::styled(key, theme.key()));
        spans.push(Span::styled(format!(" {name} "), theme.faint()));
    }
    put(frame, area, Line::from(spans));
}

fn pending(frame: &mut Frame, model: &Model, theme: Theme, area: Rect) {
    let typed: Vec<String> = model.pending.iter().map(ToString::to_string).collect();
    let mut spans = vec![Span::styled(format!(" {} …", typed.join(" ")), theme.strong())];
    for choice in &model.choices {
        spans.push(Span::styled(format!("  {}", choice.key), theme.key()));
        spans.push(Span::raw(format!(" {}", choice.what)));
    }
    put(frame, area, Line::from(spans));
}

fn line(frame: &mut Frame, prompt: &Prompt, theme: Theme, area: Rect) {
    let label = prompt.asking.label();
    let label = DisplayText::line(&label);
    let label_width = u16::try_from(label.width()).unwrap_or(0).min(area.width / 2);
    put(
        frame,
        Rect { width: label_width, ..area },
        Line::styled(label.as_str().to_owned(), theme.key()),
    );
    let text = Rect { x: area.x + label_width, width: area.width - label_width, ..area };
    frame.render_widget(prompt.line.area(), text);
    let column = u16::try_from(prompt.line.area().screen_cursor().col).unwrap_or(0);
    frame.set_cursor_position(Position {
        x: text.x + column.min(text.width.saturating_sub(1)),
        y: text.y,
    });
}

/// Completions, in a box that grows upwards from the input.
fn candidates(frame: &mut Frame, prompt: &Prompt, theme: Theme, bottom: u16) {
    let size = frame.area();
    let height = prompt.candidates.len().min(10).min(usize::from(bottom.saturating_sub(2)));
    let chosen = prompt.chosen.unwrap_or(0);
    let first = (chosen + 1).saturating_sub(height.max(1));
    let shown = prompt.candidates.iter().enumerate().skip(first).take(height);
    for (line, (at, candidate)) in shown.enumerate() {
        let y = bottom.saturating_sub(u16::try_from(height - line).unwrap_or(0));
        let area = row(frame, y);
        frame.render_widget(Clear, area);
        let style = if prompt.chosen == Some(at) { theme.cursor() } else { theme.plain() };
        let text = format!(" {:<24} {}", candidate.line, candidate.doc);
        put(frame, area, Line::from(word(&text, usize::from(size.width), style)));
    }
}
