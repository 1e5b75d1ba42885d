//! Colours and marks. Only the sixteen colours of the terminal's own palette, so that light and dark themes both
//! read well; meaning is never carried by colour alone.

use ratatui::style::{Color, Modifier, Style};

/// The styles of the screens.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    colour: bool,
}

impl Theme {
    /// With colours, or with weight and inversion only (`NO_COLOR`, `--no-color`).
    pub const fn new(colour: bool) -> Self {
        Self { colour }
    }

    const fn tinted(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    /// Ordinary text.
    pub const fn plain(self) -> Style {
        Style::new()
    }

    /// The line under the cursor.
    pub const fn cursor(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Titles and what the eye should find first.
    pub const fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What may be overlooked.
    pub const fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// A key in a hint; the letters of a case id that suffice.
    pub const fn key(self) -> Style {
        self.tinted(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// Time is short; something is suggested.
    pub const fn notice(self) -> Style {
        self.tinted(Color::Yellow)
    }

    /// Overdue, broken, refused.
    pub const fn alarm(self) -> Style {
        self.tinted(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// Done, decided, answered.
    pub const fn good(self) -> Style {
        self.tinted(Color::Green)
    }

    /// Quoted from an earlier mail.
    pub const fn quoted(self) -> Style {
        self.tinted(Color::Blue)
    }

    /// Lines that an answer rests on.
    pub const fn lit(self) -> Style {
        self.tinted(Color::Yellow).add_modifier(Modifier::UNDERLINED)
    }
}
