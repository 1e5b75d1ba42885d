//! Drawing the model, and the terminal itself.
//!
//! Owns: everything that names `ratatui` or `crossterm`. Absent on purpose: state; a screen is drawn from
//! `&Model` alone. Text of a mail arrives here as `DisplayText` only. Read next: [`terminal`], then the file
//! named like the screen.

mod advisory;
mod calculator;
mod case;
mod claims;
mod editor;
mod foot;
mod form;
pub mod input;
mod layer;
mod queue;
pub mod terminal;
mod theme;
pub mod wall;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::layout::{Area, SMALLEST};
use crate::app::{Model, Screen};
use crate::mail::DisplayText;
use theme::Theme;

/// Draws the whole screen.
pub fn draw(frame: &mut Frame, model: &Model) {
    let theme = Theme::new(model.colour);
    let size = frame.area();
    if size.width < SMALLEST.0 || size.height < SMALLEST.1 {
        let notice = format!("casebook needs {}x{}", SMALLEST.0, SMALLEST.1);
        put(frame, Rect { height: size.height.min(1), ..size }, Line::from(notice));
        return;
    }
    match model.screen {
        Screen::Queue => queue::draw(frame, model, theme),
        Screen::Case => case::draw(frame, model, theme),
        Screen::Editor => editor::draw(frame, model, theme),
        Screen::Advisory => advisory::draw(frame, model, theme),
    }
    if let Some(open) = &model.calculator {
        calculator::draw(frame, model, open, theme);
    }
    if let Some(layer) = &model.layer {
        layer::draw(frame, layer, theme);
    }
    foot::draw(frame, model, theme);
}

/// The area as ratatui names it, cut to the frame.
fn rect(frame: &Frame, area: Area) -> Rect {
    Rect { x: area.x, y: area.y, width: area.width, height: area.height }.intersection(frame.area())
}

/// One row of the frame.
fn row(frame: &Frame, y: u16) -> Rect {
    let size = frame.area();
    Rect { x: 0, y, width: size.width, height: 1 }.intersection(size)
}

/// Puts a line; what does not fit is cut.
fn put(frame: &mut Frame, area: Rect, line: Line<'_>) {
    if area.width > 0 && area.height > 0 {
        frame.render_widget(line, area);
    }
}

/// Mail text cut to `columns` and filled up with blanks.
fn cell(text: &DisplayText, columns: usize, style: Style) -> Span<'static> {
    let fitted = text.fit(columns);
    let blanks = columns.saturating_sub(fitted.width());
    Span::styled(format!("{}{}", fitted.as_str(), " ".repeat(blanks)), style)
}

/// Our own words cut to `columns` and filled up with blanks.
fn word(text: &str, columns: usize, style: Style) -> Span<'static> {
    cell(&DisplayText::line(text), columns, style)
}

/// A title row across an area: words, then a rule.
fn title(frame: &mut Frame, area: Rect, words: &str, style: Style) {
    let text = DisplayText::line(&format!("── {words} "));
    let fitted = text.fit(usize::from(area.width));
    let rest = usize::from(area.width).saturating_sub(fitted.width());
    put(frame, area, Line::styled(format!("{}{}", fitted.as_str(), "─".repeat(rest)), style));
}
