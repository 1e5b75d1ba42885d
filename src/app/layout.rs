//! Where things stand on the screen: worked out once, used by `update` (scrolling, wrapping) and by drawing.

/// A rectangle in columns and rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Area {
    /// First column.
    pub x: u16,
    /// First row.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// The case screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CaseLayout {
    /// Who, what, verdict and clocks.
    pub head: Area,
    /// The thread's text, without its frame.
    pub thread: Area,
    /// The checklist's rows, without their frame.
    pub checklist: Area,
    /// Question, outcome and evidence of the row under the cursor, below the checklist.
    pub detail: Area,
    /// Whether both panes are shown side by side.
    pub wide: bool,
}

/// Below this nothing useful fits, and a notice is shown instead.
pub const SMALLEST: (u16, u16) = (40, 8);

/// From this width on, thread and checklist stand side by side.
pub const WIDE: u16 = 110;

/// Rows at the bottom: key hints and status.
pub const FOOT: u16 = 2;

/// Rows above the queue's lines: title and column heads.
pub const QUEUE_HEAD: u16 = 2;

/// Rows of the case head.
pub const CASE_HEAD: u16 = 4;

/// Lines of the queue on a screen of this size.
pub fn queue_height(size: (u16, u16)) -> usize {
    usize::from(size.1.saturating_sub(QUEUE_HEAD + FOOT)).max(1)
}

/// Lines inside the frame of a layer that takes the whole screen.
pub fn layer_height(size: (u16, u16)) -> usize {
    usize::from(size.1.saturating_sub(FOOT + 2)).max(1)
}

/// The case screen's areas; with `banner`, one row more of the head names what is like the case.
pub fn case(size: (u16, u16), banner: bool) -> CaseLayout {
    let (columns, rows) = (size.0.max(1), size.1.max(1));
    let head_rows = CASE_HEAD + u16::from(banner && rows > CASE_HEAD + 1 + FOOT + 1);
    let head = Area { x: 0, y: 0, width: columns, height: head_rows.min(rows) };
    // One row is the pane's title; two columns on the left are the marks beside the text.
    let height = rows.saturating_sub(head_rows + 1 + FOOT).max(1);
    let y = head_rows + 1;
    let wide = columns >= WIDE;
    let split = if wide { columns * 11 / 20 } else { columns };
    let thread = Area { x: 2, y, width: split.saturating_sub(3).max(1), height };
    let list_x = if wide { split + 1 } else { 0 };
    let list_width = columns.saturating_sub(list_x).max(1);
    let detail_height = if height >= 20 { 8 } else { height / 3 };
    let list_height = height.saturating_sub(detail_height).max(1);
    let checklist = Area { x: list_x, y, width: list_width, height: list_height };
    let detail = Area { x: list_x, y: y + list_height, width: list_width, height: detail_height };
    CaseLayout { head, thread, checklist, detail, wide }
}

/// The advisory screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AdvisoryLayout {
    /// The fields; their title is the row above.
    pub form: Area,
    /// Lines of the preview; its title is the row above.
    pub preview: Area,
    /// Whether both are shown side by side.
    pub wide: bool,
}

/// Rows of the advisory's head.
pub const ADVISORY_HEAD: u16 = 2;

/// The advisory screen's areas.
pub fn advisory(size: (u16, u16)) -> AdvisoryLayout {
    let (columns, rows) = (size.0.max(1), size.1.max(1));
    let y = ADVISORY_HEAD + 1;
    let height = rows.saturating_sub(y + FOOT).max(1);
    let wide = columns >= WIDE;
    let split = if wide { columns / 2 } else { columns };
    let form = Area { x: 0, y, width: split, height };
    let x = if wide { split + 2 } else { 1 };
    let preview = Area { x, y, width: columns.saturating_sub(x).max(1), height };
    AdvisoryLayout { form, preview, wide }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_area_is_on_the_screen_at_every_size() {
        for columns in 1..=200 {
            for rows in 8..=60 {
                let layout = case((columns, rows), rows % 2 == 0);
                let other = advisory((columns, rows));
                for area in [
                    layout.head,
                    layout.thread,
                    layout.checklist,
                    layout.detail,
                    other.form,
                    other.preview,
                ] {
                    assert!(area.y + area.height <= rows, "{columns}x{rows}: {area:?}");
                    assert!(
                        columns < 4 || area.x + area.width <= columns,
                        "{columns}x{rows}: {area:?}"
                    );
                }
            }
        }
    }
}
