//! The table of commands: the one record that feeds keys, palette, help, manual and README.
//!
//! Owns: id, words and contexts of every command. Absent on purpose: keys (see `keymap`) and effects (see
//! `app`). Adding a command: a row here, its arm in `app`, a key in `keymaps/default.toml`. Read next: [`TABLE`],
//! `app::run`.

/// Where a binding holds. A screen is one context; `Global` holds on every screen and yields to the screen's
/// own bindings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Context {
    /// Everywhere but in text fields.
    Global,
    /// The list of cases.
    Queue,
    /// One case: thread, checklist, clocks.
    Case,
    /// A text editor: reply or advisory draft.
    Editor,
    /// Every open clock by time left.
    Deadlines,
    /// The advisory draft and its faults.
    Advisory,
    /// The CVSS calculator: letters choose values.
    Calculator,
    /// A dialog of the advisory form: letters are typed.
    Form,
    /// A one-line input: command line, search, reason.
    Prompt,
    /// Help, choices and other layers above a screen.
    Overlay,
}

impl Context {
    /// Every context.
    pub const ALL: [Self; 10] = [
        Self::Global,
        Self::Queue,
        Self::Case,
        Self::Editor,
        Self::Deadlines,
        Self::Advisory,
        Self::Calculator,
        Self::Form,
        Self::Prompt,
        Self::Overlay,
    ];

    /// The table name in a keymap file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Queue => "queue",
            Self::Case => "case",
            Self::Editor => "editor",
            Self::Deadlines => "deadlines",
            Self::Advisory => "advisory",
            Self::Calculator => "calculator",
            Self::Form => "form",
            Self::Prompt => "prompt",
            Self::Overlay => "overlay",
        }
    }

    /// Reads the table name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|context| context.as_str() == text)
    }
}

/// What may follow the name of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Argument {
    /// Nothing.
    None,
    /// A disposition word.
    Disposition,
    /// A case state word.
    State,
    /// A clause id.
    Clause,
    /// A CVSS vector.
    Vector,
    /// A reply template name.
    Template,
    /// Free text up to the end of the line.
    Text,
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// The command.
    pub id: Command,
    /// Its name in keymaps and on the command line.
    pub name: &'static str,
    /// What it does, as a short third-person line.
    pub doc: &'static str,
    /// Where it can be given.
    pub contexts: &'static [Context],
    /// What may follow; where it is optional, the command asks.
    pub argument: Argument,
}

macro_rules! commands {
    ($($id:ident $name:literal [$($context:ident)+] $argument:ident $doc:literal;)+) => {
        /// A named intent. What it does on a screen is `app`'s matter.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Command { $(#[doc = $doc] $id,)+ }

        /// Every command, in the order of help.
        pub const TABLE: &[Row] = &[$(Row {
            id: Command::$id,
            name: $name,
            doc: $doc,
            contexts: &[$(Context::$context),+],
            argument: Argument::$argument,
        },)+];
    };
}

commands! {
    Down "down" [Queue Case Deadlines Advisory Calculator Form Overlay Prompt] None "moves down";
    Up "up" [Queue Case Deadlines Advisory Calculator Form Overlay Prompt] None "moves up";
    PageDown "page-down" [Queue Case Deadlines Advisory Overlay] None "moves a page down";
    PageUp "page-up" [Queue Case Deadlines Advisory Overlay] None "moves a page up";
    Top "top" [Queue Case Deadlines Advisory Overlay] None "moves to the first line";
    Bottom "bottom" [Queue Case Deadlines Advisory Overlay] None "moves to the last line";
    Open "open" [Queue Case Deadlines Overlay] None "opens what the cursor is on";
    Back "back" [Queue Case Deadlines Advisory Calculator Form Editor Overlay Prompt] None "goes back, closes the layer or drops the filter";
    NextPane "next-pane" [Case Advisory] None "moves to the next pane";
    PreviousPane "previous-pane" [Case Advisory] None "moves to the previous pane";
    NextCase "next-case" [Case] None "opens the next case of the queue";
    PreviousCase "previous-case" [Case] None "opens the previous case of the queue";
    Search "search" [Queue Case] Text "searches the list, or the text of the case";
    SearchNext "search-next" [Queue Case] None "goes to the next match";
    SearchPrevious "search-previous" [Queue Case] None "goes to the previous match";
    Filter "filter" [Queue] Text "shows only cases that hold the words; state:WORD, is:unanswered and is:rescued narrow";
    CycleFilter "cycle-filter" [Queue] None "switches between open, unanswered and all cases";
    Sort "sort" [Queue] None "switches the order: newest, suggestion, deadline, reporter";
    Triage "triage" [Queue] None "goes through the shown cases one after the other";
    Sync "sync" [Queue Case] None "pulls new mail";
    Watch "watch" [Queue Case] None "pulls new mail and then waits for more";
    CancelSync "cancel-sync" [Queue Case] None "stops the pull or the watch";
    Yes "yes" [Case Advisory] None "answers the question under the cursor with yes";
    No "no" [Case Advisory] None "answers the question under the cursor with no";
    Unclear "unclear" [Case Advisory] None "answers the question under the cursor with unclear";
    Clear "clear" [Case Advisory Calculator] None "takes the answer or value under the cursor back";
    AcceptSuggestions "accept-suggestions" [Case] None "takes the suggested answers that nobody has answered";
    RejectHint "reject-hint" [Case] None "sets the suggested answer under the cursor aside and records it";
    Evidence "evidence" [Case] None "jumps between an answer and the line that shows it";
    Mark "mark" [Case Queue] None "marks the text line as evidence for the next answer, or the case for one act on many";
    Claims "claims" [Case] None "shows what the report claims about the source, and what the checkout has";
    Score "score" [Case] Vector "opens the CVSS calculator, or sets our vector";
    SwitchVersion "switch-version" [Calculator] None "switches between CVSS 3.1 and 4.0";
    Decide "decide" [Case Queue] Disposition "decides the case";
    AcceptCase "accept-case" [Case Queue] None "decides the case as valid";
    Decline "decline" [Case] None "opens the reply that declines with the proven clauses";
    NeedInfo "need-info" [Case] None "opens the reply that asks for the missing points";
    Reply "reply" [Case] Template "opens a reply draft";
    QueueReply "queue-reply" [Case Editor Overlay] None "decides as the reply says and puts it into the outbox; nothing is sent";
    Outbox "outbox" [Queue Case] None "lists the cases whose reply waits to be sent";
    Merge "merge" [Case] Text "compares the case with what is like it, and merges";
    Split "split" [Case] None "makes the mail under the cursor a case of its own";
    Twin "twin" [Case] None "opens the case that is most like this one";
    SetState "state" [Case] State "moves the case to a state";
    Note "note" [Case] Text "keeps a note for the maintainers";
    Advisory "advisory" [Case] None "opens the advisory draft";
    EditAdvisory "edit-advisory" [Advisory] None "edits the draft as TOML";
    EditField "edit-field" [Advisory] None "edits the field under the cursor";
    NextMissing "next-missing" [Advisory] None "moves to the next field that is missing";
    NextFormat "next-format" [Advisory] None "shows the draft in the next format";
    PreviousFormat "previous-format" [Advisory] None "shows the draft in the previous format";
    Export "export" [Advisory Case] None "checks the advisory and writes its files";
    Save "save" [Editor] None "saves the draft";
    WriteEml "write-eml" [Editor Case] None "writes the reply draft as an .eml file";
    Raw "raw" [Case] None "switches between the shown text and the raw mail";
    Headers "headers" [Case] None "shows or hides all headers";
    NextMessage "next-message" [Case] None "moves to the next mail of the thread";
    PreviousMessage "previous-message" [Case] None "moves to the previous mail of the thread";
    Copy "copy" [Case Advisory] None "copies the marked lines, the line or the preview to the clipboard";
    SaveAttachment "save-attachment" [Case] Text "writes an attachment to a file; nothing is opened";
    Journal "journal" [Case] None "shows the history of the case";
    Deadlines "deadlines" [Queue Case] None "lists every open clock by time left";
    HoldingNote "holding-note" [Deadlines Case] None "drafts the note that fits the clock: first answer, holding note, request for more time, reminder";
    Calendar "calendar" [Deadlines] Text "writes the clocks as a calendar file";
    Pause "pause" [Case] Text "lets our clocks on the case rest, or run again";
    Undo "undo" [Queue Case Advisory] None "takes the last act on the case back";
    Accept "accept" [Prompt Calculator Form Overlay] None "takes the line, the choice or the vector";
    Complete "complete" [Prompt] None "completes the word";
    CommandLine "command-line" [Global] None "asks for a command by name";
    Palette "palette" [Global] None "lists every command that can be given here";
    Help "help" [Global] None "shows the keys that work here";
    Redraw "redraw" [Global Prompt] None "draws the screen again";
    Suspend "suspend" [Global Prompt] None "puts the program to sleep until the shell's fg";
    Quit "quit" [Global] None "leaves; everything is saved already";
}

impl Command {
    /// The command's row.
    pub fn row(self) -> &'static Row {
        // The enum and the table come from one list, so the discriminant is the index.
        &TABLE[self as usize]
    }

    /// The command's name.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Finds a command by its name.
    pub fn parse(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.id)
    }

    /// Whether the command can be given in this context.
    pub fn applies_in(self, context: Context) -> bool {
        let contexts = self.row().contexts;
        contexts.contains(&context)
            || (contexts.contains(&Context::Global) && context != Context::Prompt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_name_and_by_id() {
        for row in TABLE {
            assert_eq!(Command::parse(row.name), Some(row.id));
            assert_eq!(row.id.row().name, row.name);
        }
    }
}
