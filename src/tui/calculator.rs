//! The CVSS calculator: both vectors, every metric, and what each value would change.

use ratatui::Frame;
use ratatui::text::Line;

use super::theme::Theme;
use super::{put, row, title, word};
use crate::app::Model;
use crate::app::calculator::{Alternative, Calculator, Theirs, Use, score_words, words};
use crate::app::layout::FOOT;
use crate::domain::cvss::Vector;

/// Rows above the metrics.
const HEAD: u16 = 5;

pub(super) fn draw(frame: &mut Frame, model: &Model, calculator: &Calculator, theme: Theme) {
    let size = frame.area();
    frame.render_widget(ratatui::widgets::Clear, size);
    head(frame, model, calculator, theme);
    let alternatives = calculator.alternatives();
    let count = calculator.ours.metrics().count();
    let room = usize::from(size.height.saturating_sub(HEAD + FOOT));
    // The metrics go first; what their values would change gets what is left, and two rows at least.
    let height = count.min(room.saturating_sub(alternatives.len() + 1).max(room.min(3)));
    let first = (calculator.cursor + 1).saturating_sub(height);
    let widths = Widths::of(usize::from(size.width), calculator);
    for (line, at) in (0..height).zip(first..count) {
        let y = HEAD + u16::try_from(line).unwrap_or(0);
        put(frame, row(frame, y), metric(calculator, at, &widths, theme));
    }
    let y = HEAD + u16::try_from(height).unwrap_or(0);
    let bottom = size.height.saturating_sub(FOOT);
    if y < bottom {
        let name = calculator.metric().map_or("", |metric| metric.title);
        title(frame, row(frame, y), &format!("{name}: what each value would give"), theme.strong());
    }
    for (y, alternative) in (y + 1..bottom).zip(&alternatives) {
        let line = alternative_line(alternative, usize::from(size.width), theme);
        put(frame, row(frame, y), line);
    }
}

fn head(frame: &mut Frame, model: &Model, calculator: &Calculator, theme: Theme) {
    let width = usize::from(frame.area().width);
    let version = calculator.ours.version().prefix().replace(':', " ");
    let case = model.case.as_ref().map_or("", |case| case.view.row.id.as_str());
    let of = match calculator.purpose {
        Use::Case => "our vector of case",
        Use::Draft => "our vector of the advisory of case",
    };
    let first = format!(" {version}, {of} {case}");
    put(frame, row(frame, 0), Line::from(word(&first, width, theme.strong())));
    let theirs = match &calculator.theirs {
        Theirs::None => "none given".to_owned(),
        Theirs::Given(vector) => format!("{}  {vector}", score_words(vector)),
        Theirs::Repaired(vector, fault) => {
            format!("{}  {vector} (meant; {fault})", score_words(vector))
        }
        Theirs::Faulty(fault) => format!("not valid: {fault}"),
    };
    put(
        frame,
        row(frame, 1),
        Line::from(word(&format!(" theirs  {theirs}"), width, theme.plain())),
    );
    let whole = calculator.ours.complete();
    let ours = match &whole {
        Some(vector) => {
            let cve = if calculator.counted().is_some_and(|v| calculator.is_cve(&v)) {
                "yes"
            } else {
                "no"
            };
            format!("{}, CVE {cve}  {vector}", score_words(vector))
        }
        None => format!("{} open  {}", calculator.ours.open().count(), calculator.ours.shown()),
    };
    put(frame, row(frame, 2), Line::from(word(&format!(" ours    {ours}"), width, theme.good())));
    put(frame, row(frame, 3), cap(calculator, whole.as_ref(), width, theme));
    let widths = Widths::of(width, calculator);
    let columns = Line::from(vec![
        word("", widths.name, theme.faint()),
        word("theirs", widths.value, theme.faint()),
        word("ours", widths.value, theme.faint()),
    ]);
    put(frame, row(frame, 4), columns);
}

/// What the policy's cap does to our vector, else to theirs.
fn cap(
    calculator: &Calculator,
    ours: Option<&Vector>,
    width: usize,
    theme: Theme,
) -> Line<'static> {
    let of_ours =
        ours.and_then(|vector| calculator.cap_words(vector)).map(|w| format!("ours, {w}"));
    let of_theirs = || calculator.theirs.vector().and_then(|vector| calculator.cap_words(vector));
    let words = of_ours.or_else(|| of_theirs().map(|words| format!("theirs, {words}")));
    Line::from(word(&format!(" {}", words.unwrap_or_default()), width, theme.notice()))
}

struct Widths {
    name: usize,
    value: usize,
}

impl Widths {
    fn of(width: usize, calculator: &Calculator) -> Self {
        let longest = calculator.ours.metrics().map(|metric| metric.title.len()).max().unwrap_or(0);
        let value = 14.min(width / 4);
        Self { name: (longest + 8).min(width.saturating_sub(2 * value)), value }
    }
}

fn metric(calculator: &Calculator, at: usize, widths: &Widths, theme: Theme) -> Line<'static> {
    let Some(metric) = calculator.ours.metrics().nth(at) else { return Line::default() };
    let version = calculator.ours.version();
    let under = at == calculator.cursor;
    let mark = if under { "▶" } else { " " };
    let name = format!(" {mark} {:<3} {}", metric.name, metric.title);
    let theirs = calculator.theirs.vector().and_then(|vector| {
        vector.value(metric.name).map(|value| words::value(vector.version(), metric.name, value).0)
    });
    let ours = calculator.ours.get(at);
    let ours_words = ours.map_or("·", |value| words::value(version, metric.name, value).0);
    let differs = theirs.is_some_and(|theirs| theirs != ours_words);
    let style = match (under, differs, ours) {
        (true, ..) => theme.cursor(),
        (_, true, _) | (.., None) => theme.notice(),
        _ => theme.plain(),
    };
    let name_style = if under { theme.strong() } else { theme.plain() };
    Line::from(vec![
        word(&name, widths.name, name_style),
        word(theirs.unwrap_or(""), widths.value, theme.faint()),
        word(ours_words, widths.value, style),
    ])
}

fn alternative_line(alternative: &Alternative, width: usize, theme: Theme) -> Line<'static> {
    let (name, meaning) = alternative.words;
    let mark = if alternative.chosen { "•" } else { " " };
    let gives = match (alternative.score, alternative.change_tenths) {
        (Some(score), Some(0)) => format!("{score}"),
        (Some(score), Some(change)) => {
            let sign = if change < 0 { '-' } else { '+' };
            let tenths = change.unsigned_abs();
            format!("{score} ({sign}{}.{})", tenths / 10, tenths % 10)
        }
        (Some(score), None) => format!("{score}"),
        (None, _) => String::new(),
    };
    let style = if alternative.chosen { theme.good() } else { theme.plain() };
    Line::from(vec![
        word(&format!(" {mark} {}", alternative.value.to_lowercase()), 5, theme.key()),
        word(name, 12, style),
        word(&gives, 13, style),
        word(meaning, width.saturating_sub(30), theme.faint()),
    ])
}
