//! The two rows at the bottom: what can be done here, and what just happened or is being typed.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::theme::Theme;
use super::{put, row, title, word};
use crate::app::case::Pane;
use crate::app::editor::Purpose;
use crate::app::layer::Layer;
use crate::app::next;
use crate::app::prompt::{Asking, Prompt};
use crate::app::{Model, SyncState, Tone};
use crate::command::{Command, Context};
use crate::keymap::Match;
use crate::mail::DisplayText;

pub(super) fn draw(frame: &mut Frame, model: &Model, theme: Theme) {
    let bottom = frame.area().height;
    let status = row(frame, bottom.saturating_sub(1));
    let said = said(model, usize::from(status.width.saturating_sub(1)));
    let above = u16::try_from(said.len()).unwrap_or(1).max(1);
    hints(frame, model, theme, bottom.saturating_sub(above + 1));
    frame.render_widget(Clear, status);
    if let Some(prompt) = &model.prompt {
        candidates(frame, prompt, theme, bottom.saturating_sub(2));
        line(frame, prompt, theme, status);
    } else if !model.pending.is_empty() {
        pending(frame, model, theme, status);
    } else if let Some(toast) = &model.toast {
        let style = toast_style(toast.tone, theme);
        for (y, line) in (bottom.saturating_sub(above)..).zip(said) {
            let area = row(frame, y);
            frame.render_widget(Clear, area);
            put(frame, area, Line::styled(format!(" {}", line.as_str()), style));
        }
    } else if let Some(upkeep) = &model.upkeep {
        put(
            frame,
            status,
            Line::from(word(&format!(" {upkeep}"), usize::from(status.width), theme.notice())),
        );
    }
}

/// Most rows that a message takes.
const SAID_MAX: usize = 3;

/// The message that stands in the status row. A longer one takes rows of the screen above, as its end is what to do
/// now.
fn said(model: &Model, columns: usize) -> Vec<DisplayText> {
    let Some(toast) = &model.toast else { return Vec::new() };
    if model.prompt.is_some() || !model.pending.is_empty() {
        return Vec::new();
    }
    let mut lines = toast.text.wrap(columns);
    if lines.len() > SAID_MAX {
        let rest: Vec<&str> = lines.iter().skip(SAID_MAX - 1).map(DisplayText::as_str).collect();
        let rest = DisplayText::line(&rest.join(" ")).fit(columns);
        lines.truncate(SAID_MAX - 1);
        lines.push(rest);
    }
    lines
}

/// The commands worth naming, most useful first, and those that always stand at the end of the row.
fn worth_naming(model: &Model) -> (&'static [Command], &'static [Command]) {
    use Command as C;
    const LEAVE: &[Command] = &[C::Help, C::Back];
    match model.context() {
        Context::Queue => (queue_keys(&model.sync), &[C::Help, C::Quit]),
        Context::Case if model.case.as_ref().is_some_and(|case| case.pane == Pane::Checklist) => (
            &[
                C::Yes,
                C::No,
                C::Unclear,
                C::Evidence,
                C::NextPane,
                C::AcceptSuggestions,
                C::Decline,
                C::NeedInfo,
                C::AcceptCase,
                C::Score,
                C::Undo,
            ],
            LEAVE,
        ),
        Context::Case => (
            &[
                C::NextPane,
                C::AcceptSuggestions,
                C::Decline,
                C::NeedInfo,
                C::AcceptCase,
                C::Claims,
                C::Mark,
                C::Score,
                C::Advisory,
                C::Reply,
                C::NextCase,
                C::QueueReply,
                C::Undo,
                C::Decide,
            ],
            LEAVE,
        ),
        Context::Editor => match model.editor.as_ref().map(|editor| &editor.purpose) {
            Some(Purpose::Advisory) => (&[C::Save], LEAVE),
            Some(Purpose::Section { .. }) => (&[C::Save], LEAVE),
            _ => (&[C::Save, C::QueueReply, C::WriteEml], LEAVE),
        },
        Context::Advisory => (
            &[
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
            ],
            LEAVE,
        ),
        Context::Deadlines => (&[C::Open, C::HoldingNote, C::Calendar, C::Down, C::Up], LEAVE),
        Context::Calculator => (&[C::Accept, C::Down, C::Clear, C::SwitchVersion], LEAVE),
        Context::Form => (&[C::Accept, C::Down, C::Up], LEAVE),
        Context::Prompt => match model.prompt.as_ref().map(|prompt| &prompt.asking) {
            Some(Asking::Command | Asking::Palette) => (&[C::Accept, C::Complete], &[C::Back]),
            _ => (&[C::Accept], &[C::Back]),
        },
        Context::Overlay => match model.layer {
            Some(Layer::Choice(_)) => (&[C::Accept, C::Down, C::Up], &[C::Back]),
            Some(Layer::Text(ref text)) if text.then.is_some() => {
                (&[C::Accept, C::Down, C::PageDown], &[C::Back])
            }
            Some(Layer::Claims(_)) => (&[C::Down, C::Up, C::Accept], &[C::Back]),
            Some(Layer::Reply(_)) => {
                (&[C::QueueReply, C::Accept, C::Down, C::PageDown], &[C::Back])
            }
            _ => (&[C::Down, C::PageDown, C::Bottom], &[C::Back]),
        },
        Context::Global => (&[], &[C::Help, C::Quit]),
    }
}

const fn queue_keys(sync: &SyncState) -> &'static [Command] {
    use Command as C;
    match sync {
        SyncState::Running { .. } => {
            &[C::Open, C::CancelSync, C::Search, C::Filter, C::CycleFilter, C::Deadlines, C::Sort]
        }
        _ => &[
            C::Open,
            C::Search,
            C::Filter,
            C::CycleFilter,
            C::Triage,
            C::Mark,
            C::Deadlines,
            C::Sync,
            C::Sort,
            C::Undo,
            C::CommandLine,
        ],
    }
}

/// The word for a command in the row of hints: its name, or something shorter.
fn label(model: &Model, command: Command) -> &'static str {
    match command {
        Command::Accept if matches!(model.layer, Some(Layer::Reply(_))) => "edit",
        Command::Accept if matches!(model.layer, Some(Layer::Claims(_))) => "its line",
        Command::AcceptSuggestions => "take suggested",
        Command::NextPane => "pane",
        Command::HoldingNote => "draft the note",
        Command::AcceptCase => "accept",
        Command::Accept => "take",
        Command::CycleFilter => "view",
        Command::EditAdvisory => "edit",
        Command::CommandLine => "command",
        Command::NeedInfo => "ask",
        Command::WriteEml => "write .eml",
        Command::QueueReply => "to outbox",
        Command::CancelSync => "stop the pull",
        other => other.name(),
    }
}

fn hints(frame: &mut Frame, model: &Model, theme: Theme, y: u16) {
    let area = row(frame, y);
    frame.render_widget(Clear, area);
    let width = usize::from(area.width).saturating_sub(1);
    // While a line is being typed, the status row is taken: what is wrong with the line stands above it.
    if let (Some(_), Some(toast)) = (&model.prompt, &model.toast) {
        let text = toast.text.fit(width);
        let style = toast_style(toast.tone, theme);
        return put(frame, area, Line::styled(format!(" {}", text.as_str()), style));
    }
    let (first, last) = worth_naming(model);
    let hint = |command: &Command| {
        let (key, label) = (model.key_of(*command)?, label(model, *command));
        let width = DisplayText::line(&key).width() + label.len() + 3;
        Some((key, label, width))
    };
    let next = suggested(model);
    let last: Vec<_> = last.iter().filter_map(hint).collect();
    let mut left = width.saturating_sub(last.iter().map(|(.., width)| width).sum());
    let mut spans = Vec::new();
    if let Some((key, label, width)) = next.as_ref().and_then(hint) {
        left = left.saturating_sub(width + 2);
        spans.push(Span::styled(" ▸", theme.good()));
        spans.push(Span::styled(format!(" {key} {label} "), theme.good()));
    }
    let mut shown = Vec::new();
    for hint in first.iter().filter(|command| Some(**command) != next).filter_map(hint) {
        if hint.2 <= left {
            left -= hint.2;
            shown.push(hint);
        }
    }
    for (key, label, _) in shown.into_iter().chain(last) {
        spans.push(Span::raw(" "));
        spans.push(Span::styled(key, theme.key()));
        spans.push(Span::styled(format!(" {label} "), theme.faint()));
    }
    put(frame, area, Line::from(spans));
}

/// The one key that the program would press next (capability M14).
fn suggested(model: &Model) -> Option<Command> {
    let case = model.case.as_ref().filter(|_| model.context() == Context::Case)?;
    Some(next::step(case))
}

fn toast_style(tone: Tone, theme: Theme) -> Style {
    match tone {
        Tone::Done => theme.good(),
        Tone::Note => theme.plain(),
        Tone::Error => theme.alarm(),
    }
}

/// What was typed of a sequence, and the commands it may become.
fn pending(frame: &mut Frame, model: &Model, theme: Theme, area: Rect) {
    let typed: Vec<String> = model.pending.iter().map(ToString::to_string).collect();
    let mut spans = vec![Span::styled(format!(" {} …", typed.join(" ")), theme.strong())];
    for choice in &model.choices {
        let mut keys = model.pending.clone();
        keys.push(choice.key);
        let what = match model.keymap.lookup(model.context(), &keys) {
            Match::Bound(binding) => binding.command.name(),
            _ => "…",
        };
        spans.push(Span::styled(format!("  {}", choice.key), theme.key()));
        spans.push(Span::raw(format!(" {what}")));
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
    if height > 0 {
        let above = bottom.saturating_sub(u16::try_from(height + 1).unwrap_or(0));
        let words = format!("{} that fit", prompt.candidates.len());
        frame.render_widget(Clear, row(frame, above));
        title(frame, row(frame, above), &words, theme.faint());
    }
    for (line, (at, candidate)) in shown.enumerate() {
        let y = bottom.saturating_sub(u16::try_from(height - line).unwrap_or(0));
        let area = row(frame, y);
        frame.render_widget(Clear, area);
        let style = if prompt.chosen == Some(at) { theme.cursor() } else { theme.plain() };
        let text = format!(" {:<22} {}", candidate.line, candidate.doc);
        put(frame, area, Line::from(word(&text, usize::from(size.width), style)));
    }
}
