//! One case: what it is and by when, its thread, its checklist.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::queue::clock_style;
use super::theme::Theme;
use super::{cell, put, rect, row, title, word};
use crate::app::Model;
use crate::app::case::{CaseScreen, Pane, Row, evidence_of};
use crate::app::layout::{CASE_HEAD, WIDE};
use crate::app::material;
use crate::app::thread::{DocLine, LineKind};
use crate::app::when;
use crate::command::Command;
use crate::domain::deadline::{Deadline, DeadlineStatus as Status, time_left};
use crate::mail::DisplayText;

pub(super) fn draw(frame: &mut Frame, model: &Model, theme: Theme) {
    let Some(case) = &model.case else { return };
    let layout = model.case_layout();
    head(frame, model, case, theme);
    let y = layout.head.height;
    if layout.wide || case.pane == Pane::Thread {
        let area = rect(frame, layout.thread);
        let head = Rect { x: 0, y, width: area.width + 2, height: 1 };
        let mut words = thread_title(case);
        if !layout.wide {
            words = format!("{words} · {}", checklist_title(case));
        }
        title(frame, head, &words, pane_style(case.pane == Pane::Thread, theme));
        thread(frame, case, area, theme);
    }
    if layout.wide || case.pane == Pane::Checklist {
        let area = rect(frame, layout.checklist);
        let head = Rect { y, height: 1, ..area };
        let words = checklist_title(case);
        title(frame, head, &words, pane_style(case.pane == Pane::Checklist, theme));
        checklist(frame, case, area, theme);
        detail(frame, case, rect(frame, layout.detail), theme);
    }
}

fn pane_style(active: bool, theme: Theme) -> Style {
    if active { theme.strong() } else { theme.faint() }
}

fn head(frame: &mut Frame, model: &Model, case: &CaseScreen, theme: Theme) {
    let view = &case.view;
    let width = usize::from(frame.area().width);
    let id = view.row.id.as_str();
    let state = format!(" {} ", view.row.state);
    let subject_width = width.saturating_sub(id.len() + state.len() + 2);
    let first = vec![
        Span::styled(format!(" {id} "), theme.key()),
        cell(&view.row.subject_shown, subject_width, theme.strong()),
        Span::styled(state, theme.good()),
    ];
    put(frame, row(frame, 0), Line::from(first));
    let received = view.row.received.strftime("%Y-%m-%d %H:%M UTC");
    let received = format!(", received {received}");
    let session = model.session.as_ref().map_or_else(String::new, |s| s.words(model.now));
    let mark = view.policy.mark(width >= usize::from(WIDE));
    // A session says how far it is; that the policy has changed is said all the same.
    let mark = if session.is_empty() || view.policy.is_changed() { mark } else { String::new() };
    let beside: Vec<String> =
        [mark, session].into_iter().filter(|words| !words.is_empty()).collect();
    let beside = beside.join("  ");
    let room = width.saturating_sub(beside.len() + 1);
    let who = view.row.reporter_in(room.saturating_sub(received.len() + 2));
    let who = format!(" {}{received}", who.as_str());
    let style = if view.policy.is_changed() { theme.alarm() } else { theme.notice() };
    let spans = vec![
        word(&who, room.saturating_sub(1), theme.plain()),
        word("", 1, theme.plain()),
        word(&beside, beside.len(), style),
    ];
    put(frame, row(frame, 1), Line::from(spans));
    put(frame, row(frame, 2), verdict(case, width, theme));
    put(frame, row(frame, 3), clocks(model, case, width, theme));
    if model.case_layout().head.height > CASE_HEAD {
        put(frame, row(frame, CASE_HEAD), twins(model, case, width, theme));
    }
}

/// What is like the case, and by which keys to look.
fn twins(model: &Model, case: &CaseScreen, width: usize, theme: Theme) -> Line<'static> {
    let twins = &case.view.twins;
    let Some(first) = twins.first() else { return Line::default() };
    let mut keys = Vec::new();
    if twins.iter().any(|twin| twin.case().is_some()) {
        keys.extend(model.key_of(Command::Twin).map(|key| format!("{key} opens")));
    }
    keys.extend(model.key_of(Command::Merge).map(|key| format!("{key} compares")));
    let keys = format!("  {} ", keys.join(", "));
    let words = format!(" ≈ {}", first.line());
    let room = width.saturating_sub(keys.len());
    Line::from(vec![word(&words, room, theme.notice()), word(&keys, keys.len(), theme.faint())])
}

/// What is decided or proposed; at the right how many claims about the source resolve.
fn verdict(case: &CaseScreen, width: usize, theme: Theme) -> Line<'static> {
    let (words, style) = match &case.view.case.decision {
        Some(_) => {
            let returned = case.view.returned.is_some();
            let style = if returned { theme.notice() } else { theme.good() };
            (format!(" {}", material::decision_words(&case.view)), style)
        }
        None => (format!(" {}", material::verdict_words(&case.view.verdict)), theme.notice()),
    };
    let claims = DisplayText::line(&case.claims.words());
    let claims_style = if case.claims.fails() { theme.alarm() } else { theme.faint() };
    if claims.width() == 0 {
        return Line::from(word(&words, width, style));
    }
    let room = width.saturating_sub(claims.width() + 2);
    let mut spans = vec![word(&words, room, style), word("", 1, theme.plain())];
    spans.push(cell(&claims, claims.width(), claims_style));
    Line::from(spans)
}

/// Clocks and scores, as exact as there is room for.
fn clocks(model: &Model, case: &CaseScreen, width: usize, theme: Theme) -> Line<'static> {
    let deadlines = case.view.row.deadlines(&model.policy.periods, model.now);
    let shown: Vec<&Deadline> = deadlines.iter().filter(|d| d.status != Status::None).collect();
    let words = |exact| {
        let clock = |deadline: &&Deadline| clock_words(deadline, model, exact);
        shown.iter().map(clock).collect::<Vec<String>>()
    };
    let room = width.saturating_sub(case.scores.len() + 2);
    let fits = |words: &Vec<String>| words.iter().map(|word| word.len() + 2).sum::<usize>() <= room;
    let exactest =
        [Exact::Zones, Exact::Minute, Exact::Day, Exact::Left].into_iter().map(words).find(fits);
    let words = exactest.unwrap_or_else(|| words(Exact::Left));
    let mut spans = Vec::new();
    for (deadline, words) in shown.iter().zip(words) {
        spans.push(Span::styled(format!(" {words} "), clock_style(deadline.status, theme)));
    }
    if !case.scores.is_empty() {
        spans.push(word(&format!(" {}", case.scores), case.scores.len() + 2, theme.plain()));
    }
    Line::from(spans)
}

/// How exactly a clock is told.
#[derive(Clone, Copy)]
enum Exact {
    /// In UTC and in the zone of who reads.
    Zones,
    Minute,
    Day,
    Left,
}

fn clock_words(deadline: &Deadline, model: &Model, exact: Exact) -> String {
    let kind = deadline.kind.as_str();
    match (deadline.status, deadline.due) {
        (Status::Met, _) => format!("{kind}: met"),
        (_, Some(due)) => {
            let left = time_left(due, model.now);
            match exact {
                Exact::Zones => format!("{kind} by {} ({left})", when::short(due, &model.zone)),
                Exact::Minute => format!("{kind} by {} ({left})", due.strftime("%m-%d %H:%M UTC")),
                Exact::Day => format!("{kind} by {} ({left})", due.strftime("%m-%d")),
                Exact::Left => format!("{kind} {left}"),
            }
        }
        (status, None) => format!("{kind}: {}", status.as_str()),
    }
}

fn thread_title(case: &CaseScreen) -> String {
    let messages = case.view.messages.len();
    let at = case.current_message() + 1;
    let what = if case.raw { "raw mail" } else { "mail" };
    format!("{what} {at}/{messages}, line {}/{}", case.cursor + 1, case.doc.len())
}

fn thread(frame: &mut Frame, case: &CaseScreen, area: Rect, theme: Theme) {
    let window = case.doc.iter().enumerate().skip(case.top).take(usize::from(area.height));
    for (y, (at, line)) in (area.y..).zip(window) {
        let under_cursor = at == case.cursor && case.pane == Pane::Thread;
        let marked = within(&case.marked, line);
        let lit = within(&case.lit, line);
        let (mark, mark_style) = match (under_cursor, marked, lit) {
            (_, true, _) => ("▌", theme.good()),
            (true, ..) => ("▶", theme.key()),
            (_, _, true) => ("•", theme.notice()),
            _ => (" ", theme.plain()),
        };
        let left = Rect { x: area.x.saturating_sub(2), y, width: 2, height: 1 };
        let beside = Line::from(vec![
            Span::styled(mark, mark_style),
            Span::styled(kind_mark(line.kind), line_style(line.kind, theme)),
        ]);
        put(frame, left, beside);
        let style = if lit { theme.lit() } else { line_style(line.kind, theme) };
        let text = Rect { y, height: 1, ..area };
        put(frame, text, Line::from(cell(&line.text, usize::from(area.width), style)));
    }
}

fn within(marked: &Option<(usize, std::ops::RangeInclusive<u32>)>, line: &DocLine) -> bool {
    marked
        .as_ref()
        .is_some_and(|(message, lines)| *message == line.message && lines.contains(&line.line))
}

/// The sign beside a line that this program has written; no mail can put one there.
const fn kind_mark(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Title => "━",
        LineKind::Header => "┆",
        LineKind::Warning => "!",
        LineKind::Attachment => "+",
        LineKind::Text | LineKind::Quoted | LineKind::Gap => " ",
    }
}

fn line_style(kind: LineKind, theme: Theme) -> Style {
    match kind {
        LineKind::Title => theme.strong(),
        LineKind::Header | LineKind::Gap => theme.faint(),
        LineKind::Warning => theme.alarm(),
        LineKind::Quoted => theme.quoted(),
        LineKind::Attachment => theme.notice(),
        LineKind::Text => theme.plain(),
    }
}

fn checklist_title(case: &CaseScreen) -> String {
    let open = |row: &&Row| row.answer.is_none() && row.proposal.is_some();
    let answered = case.checklist.iter().filter(|row| row.answer.is_some()).count();
    let suggested = case.checklist.iter().filter(open).count();
    format!("checklist, {answered} answered, {suggested} suggested")
}

fn checklist(frame: &mut Frame, case: &CaseScreen, area: Rect, theme: Theme) {
    let window = case.checklist.iter().enumerate();
    let window = window.skip(case.item_top).take(usize::from(area.height));
    for (y, (at, item)) in (area.y..).zip(window) {
        let under_cursor = at == case.item && case.pane == Pane::Checklist;
        let line = item_line(item, under_cursor, usize::from(area.width), theme);
        put(frame, Rect { y, height: 1, ..area }, line);
    }
}

fn item_line(item: &Row, under_cursor: bool, width: usize, theme: Theme) -> Line<'static> {
    let base = if under_cursor { theme.cursor() } else { theme.plain() };
    let styled = |style: Style| if under_cursor { base } else { style };
    let (answer, answer_style) = answer_words(item, theme);
    let id_width = 6;
    let title_width = width.saturating_sub(id_width + 12 + 1);
    let title_style = if item.question.is_empty() { theme.faint() } else { theme.plain() };
    Line::from(vec![
        word(if item.returned { "+" } else { " " }, 1, styled(theme.good())),
        word(item.id.as_str(), id_width, styled(theme.key())),
        word(&answer, 12, styled(answer_style)),
        word(&item.title, title_width, styled(title_style)),
    ])
}

/// `yes`, or `~yes` while it is only suggested, with a mark where the words it rests on are shown or broken.
fn answer_words(item: &Row, theme: Theme) -> (String, Style) {
    if let Some(answer) = &item.answer {
        let mark = match (&answer.evidence, item.broken) {
            (_, true) => " BROKEN",
            (Some(_), false) => " ¶",
            (None, false) => "",
        };
        let style = if item.broken { theme.alarm() } else { theme.good() };
        return (format!("{}{mark}", answer.value.as_str()), style);
    }
    let Some(hint) = &item.proposal else {
        let blank = if item.question.is_empty() { "" } else { "·" };
        return (blank.to_owned(), theme.faint());
    };
    let mark = if hint.evidence.is_some() { " ¶" } else { "" };
    (format!("~{}{mark}", hint.answer.as_str()), theme.notice())
}

/// What the question under the cursor is, what follows from it and what it rests on.
fn detail(frame: &mut Frame, case: &CaseScreen, area: Rect, theme: Theme) {
    let Some(item) = case.current_item() else { return };
    let head = Rect { height: area.height.min(1), ..area };
    title(frame, head, &format!("{} {}", item.id, item.section), theme.faint());
    let width = usize::from(area.width.saturating_sub(2)).max(1);
    let mut lines: Vec<(DisplayText, Style)> = Vec::new();
    let mut add = |text: &str, style: Style| {
        // A reason or a line of a mail may be of any length; what does not fit the pane is not laid out.
        let text: String = text.chars().take(2_000).collect();
        let pieces = DisplayText::line(&text).wrap(width);
        lines.extend(pieces.into_iter().map(|line| (line, style)));
    };
    add(&item.question, theme.strong());
    if let Some(answer) = &item.answer {
        let reason = answer.reason.as_deref().unwrap_or_default();
        add(&format!("{} by {} {reason}", answer.value.as_str(), answer.actor), theme.good());
    }
    if let Some(hint) = &item.proposal {
        add(&format!("suggested {}: {}", hint.answer.as_str(), hint.why), theme.notice());
    }
    if let Some(evidence) = evidence_of(item) {
        let quoted = evidence.text.lines().next().unwrap_or_default();
        add(&format!("line {}: “{quoted}”", evidence.line), theme.lit());
    }
    if !item.outcome.is_empty() {
        add(&item.outcome, theme.faint());
    }
    for (y, (line, style)) in (area.y + 1..area.y + area.height).zip(lines) {
        let at = Rect { x: area.x + 1, y, width: area.width.saturating_sub(1), height: 1 };
        put(frame, at, Line::from(cell(&line, width, style)));
    }
}
