//! The wall between a server and the IMAP library.
//!
//! Owns: bounds on line, literal, nesting and total size; leaving out what the library cannot read or would
//! panic on; taking message bodies aside; keeping the secret from the library. Absent on purpose: what answers mean. Read next:
//! [`super::session`].
//!
//! Why: the library buffers without a bound, overflows the stack on nested parentheses (an abort that nothing
//! catches), loses step with the server on one unreadable answer, and reads a literal again from its start
//! at every line end in it. So each response is put together here first, with every literal of a FETCH
//! taken aside and a token in its place; only a response that parses goes on. A token begins with NUL, which no
//! quoted string or atom may contain (RFC 3501 section 9), and all literals are replaced: a server cannot
//! forge one.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use imap_proto::parser::parse_response;
use imap_proto::types::{AttributeValue, Response};
use zeroize::Zeroizing;

pub(crate) use super::lines::Fault;
use super::lines::{Kind, classify, find, literal_at_end, plain_answer, uid_in};
use super::text::printable;

/// Size of one read from the socket, in bytes.
const READ: usize = 64 << 10;
/// Largest literal outside of FETCH answers, in bytes.
const SMALL_LITERAL: u64 = 64 << 10;
/// Most notes kept per connection.
const MOST_NOTES: usize = 50;
/// Length of a token: NUL and eight hexadecimal digits.
const TOKEN: usize = 9;

/// What the guard puts aside while an answer is read.
#[derive(Debug, Default)]
pub(crate) struct Aside {
    literals: Vec<Vec<u8>>,
    /// Sentences of the server that the user should see.
    pub notes: Vec<String>,
    /// UIDs, where known, of FETCH answers that could not be read.
    pub unreadable: Vec<Option<u32>>,
    /// Text of the last tagged answer, sanitised, with its non-ASCII characters.
    pub last_text: String,
    /// Offset given with the last body section, if any (RFC 3501 section 7.4.2).
    pub origin: Option<u32>,
    literal_limit: u64,
    budget: u64,
    swap: Option<Swap>,
}

/// What to send in place of what the library writes.
struct Swap {
    stand_in: Vec<u8>,
    real: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Swap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// The guard's side table and counter, shared with the session that uses the guarded stream.
#[derive(Debug, Default)]
pub(crate) struct Tray {
    aside: Mutex<Aside>,
    received: Arc<AtomicU64>,
}

impl Tray {
    /// A tray that counts received bytes into `received`.
    pub fn counting(received: Arc<AtomicU64>) -> Self {
        Self { aside: Mutex::default(), received }
    }

    /// Starts a command: forgets what the last one left and sets the bounds for its whole answer.
    pub fn begin(&self, literal_limit: u64, budget: u64) {
        let mut aside = self.lock();
        aside.literals.clear();
        aside.unreadable.clear();
        aside.last_text.clear();
        aside.origin = None;
        (aside.literal_limit, aside.budget) = (literal_limit, budget);
    }

    /// The side table. Hold it only for a moment: the guard needs it to read.
    pub fn lock(&self) -> MutexGuard<'_, Aside> {
        self.aside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Aside {
    /// The bytes behind what the library takes for a string: the literal a token stands for, taken out of the
    /// table, or the string itself.
    pub fn resolve(&mut self, text: &[u8]) -> Vec<u8> {
        let index = match text.strip_prefix(&[0]) {
            Some(digits) if text.len() == TOKEN => std::str::from_utf8(digits)
                .ok()
                .and_then(|digits| usize::from_str_radix(digits, 16).ok()),
            _ => None,
        };
        match index.and_then(|index| self.literals.get_mut(index)) {
            Some(literal) => std::mem::take(literal),
            None => text.to_vec(),
        }
    }

    /// Once, in place of `stand_in`, `real` goes over the wire: so the library never sees the secret, of which
    /// it would leave copies in memory.
    pub fn swap(&mut self, stand_in: &[u8], real: Zeroizing<Vec<u8>>) {
        self.swap = Some(Swap { stand_in: stand_in.to_vec(), real });
    }

    /// Wipes what was to be sent.
    pub fn forget_swap(&mut self) {
        self.swap = None;
    }

    /// Keeps a sentence for the user, as long as there are not too many.
    pub fn note(&mut self, note: String) {
        if self.notes.len() < MOST_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

#[derive(Debug)]
enum State {
    Line,
    /// Bytes still to come, and whether they are taken aside.
    Literal {
        left: u64,
        aside: bool,
    },
}

/// A stream that only lets through what the library can stand.
#[derive(Debug)]
pub(crate) struct Guard<S> {
    inner: S,
    tray: Arc<Tray>,
    response_bytes: usize,
    nesting: usize,
    input: Vec<u8>,
    /// Unread part of `input`.
    unread: std::ops::Range<usize>,
    state: State,
    kind: Option<Kind>,
    response: Vec<u8>,
    line_start: usize,
    depth: usize,
    held: Vec<Vec<u8>>,
    out: Vec<u8>,
    out_at: usize,
    failed: Option<Fault>,
}

impl<S> Guard<S> {
    /// Guards `inner`: at most `response_bytes` per response without literals, parentheses nested at most
    /// `nesting` deep.
    pub fn new(inner: S, tray: Arc<Tray>, response_bytes: usize, nesting: usize) -> Self {
        Self {
            inner,
            tray,
            response_bytes,
            nesting,
            input: vec![0; READ],
            unread: 0..0,
            state: State::Line,
            kind: None,
            response: Vec::new(),
            line_start: 0,
            depth: 0,
            held: Vec::new(),
            out: Vec::new(),
            out_at: 0,
            failed: None,
        }
    }

    /// Works through the unread input until a response is ready.
    fn advance(&mut self) -> Result<(), Fault> {
        while !self.unread.is_empty() && self.out.is_empty() {
            match self.state {
                State::Line => self.advance_line()?,
                State::Literal { left, aside } => self.advance_literal(left, aside)?,
            }
        }
        Ok(())
    }

    fn advance_line(&mut self) -> Result<(), Fault> {
        let bytes = self.input.get(self.unread.clone()).unwrap_or_default();
        let end = bytes.iter().position(|&b| b == b'\n');
        let piece = bytes.get(..end.map_or(bytes.len(), |at| at + 1)).unwrap_or_default();
        self.response.extend_from_slice(piece);
        self.unread.start += piece.len();
        self.check_size()?;
        if end.is_some() { self.end_line() } else { Ok(()) }
    }

    fn check_size(&self) -> Result<(), Fault> {
        if self.response.len() > self.response_bytes {
            return Err(Fault::TooLarge(format!("a line of over {} bytes", self.response_bytes)));
        }
        Ok(())
    }

    fn advance_literal(&mut self, left: u64, aside: bool) -> Result<(), Fault> {
        let bytes = self.input.get(self.unread.clone()).unwrap_or_default();
        let count = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let piece = bytes.get(..count).unwrap_or_default();
        match self.held.last_mut() {
            Some(literal) if aside => literal.extend_from_slice(piece),
            _ => self.response.extend_from_slice(piece),
        }
        self.unread.start += count;
        self.check_size()?;
        let left = left.saturating_sub(count as u64);
        self.state = if left == 0 { State::Line } else { State::Literal { left, aside } };
        if left == 0 {
            self.line_start = self.response.len();
        }
        Ok(())
    }

    /// Handles a complete line; its end becomes CR LF, as a bare LF would stop the library.
    fn end_line(&mut self) -> Result<(), Fault> {
        self.response.pop();
        if self.response.len() > self.line_start && self.response.last() == Some(&b'\r') {
            self.response.pop();
        }
        let kind = match self.kind {
            Some(kind) => kind,
            None => classify(&self.response)?,
        };
        self.kind = Some(kind);
        match kind {
            Kind::Text => self.pass_text(),
            Kind::Warning => {
                let text = printable(self.response.get(2..).unwrap_or_default());
                self.tray.lock().note(format!("the server warns: {text}"));
                self.reset();
                Ok(())
            }
            Kind::Bye => Err(Fault::Bye(printable(self.response.get(5..).unwrap_or_default()))),
            Kind::Fetch | Kind::Data | Kind::Unknown => self.end_data_line(kind),
        }
    }

    /// Lets a line of text pass, in ASCII and without control characters.
    fn pass_text(&mut self) -> Result<(), Fault> {
        if let Some(at) = find(&self.response, b"[ALERT]") {
            let text = printable(self.response.get(at + 7..).unwrap_or_default());
            self.tray.lock().note(format!("the server says: {text}"));
        }
        let tagged = !self.response.starts_with(b"* ") && !self.response.starts_with(b"+");
        if tagged {
            let words = self.response.splitn(3, |&b| b == b' ').nth(2).unwrap_or_default();
            self.tray.lock().last_text = printable(words);
        }
        for byte in &mut self.response {
            if !(0x20..0x7f).contains(byte) {
                *byte = b'?';
            }
        }
        self.response.extend_from_slice(b"\r\n");
        if self.response.starts_with(b"+") || self.parses() {
            self.out.append(&mut self.response);
        } else if tagged {
            self.response = plain_answer(&self.response)?;
            self.out.append(&mut self.response);
        }
        self.reset();
        Ok(())
    }

    fn end_data_line(&mut self, kind: Kind) -> Result<(), Fault> {
        let quoted = self.scan()?;
        let line = self.response.get(self.line_start..).unwrap_or_default();
        let announced = if quoted { None } else { literal_at_end(line)? };
        let Some((marker, size)) = announced else {
            self.response.extend_from_slice(b"\r\n");
            self.pass_data(kind);
            return Ok(());
        };
        let aside = kind == Kind::Fetch;
        let limit = if aside { self.tray.lock().literal_limit } else { SMALL_LITERAL };
        if size > limit {
            return Err(Fault::TooLarge(format!("a literal of {size} bytes")));
        }
        if aside {
            self.response.truncate(self.line_start + marker);
            let index = self.tray.lock().literals.len() + self.held.len();
            self.response.extend_from_slice(format!("{{{TOKEN}}}\r\n\0{index:08x}").as_bytes());
            self.held.push(Vec::with_capacity(usize::try_from(size).unwrap_or(0)));
        } else {
            self.response.extend_from_slice(b"\r\n");
        }
        self.line_start = self.response.len();
        if size > 0 {
            self.state = State::Literal { left: size, aside };
        }
        Ok(())
    }

    /// Counts parentheses and follows quotes; replaces what is not ASCII outside of quotes (keywords with
    /// umlauts exist). Returns whether a quote is open at the end.
    fn scan(&mut self) -> Result<bool, Fault> {
        let (mut quoted, mut escaped) = (false, false);
        for byte in self.response.iter_mut().skip(self.line_start) {
            match *byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b'(' => self.depth += 1,
                b')' => self.depth = self.depth.saturating_sub(1),
                0x80.. => *byte = b'?',
                _ => {}
            }
            if self.depth > self.nesting {
                let what = format!("parentheses nested more than {} deep", self.nesting);
                return Err(Fault::TooLarge(what));
            }
        }
        Ok(quoted)
    }

    /// Hands a complete response on if the library will understand it, else notes what was lost.
    fn pass_data(&mut self, kind: Kind) {
        if kind != Kind::Unknown && self.parses() {
            self.out.append(&mut self.response);
            self.tray.lock().literals.append(&mut self.held);
        } else if kind == Kind::Fetch {
            let uid = uid_in(&self.response);
            self.tray.lock().unreadable.push(uid);
        }
        self.reset();
    }

    fn parses(&self) -> bool {
        match parse_response(&self.response) {
            Ok((rest, Response::Fetch(_, attributes))) => {
                let origin = attributes.iter().find_map(|attribute| match attribute {
                    AttributeValue::BodySection { index, .. } => *index,
                    _ => None,
                });
                if origin.is_some() {
                    self.tray.lock().origin = origin;
                }
                rest.is_empty()
            }
            Ok((rest, _)) => rest.is_empty(),
            Err(_) => false,
        }
    }

    fn reset(&mut self) {
        self.response.clear();
        self.held.clear();
        self.kind = None;
        self.line_start = 0;
        self.depth = 0;
    }

    /// Remembers a fault: after it nothing more is let through.
    fn fail(&mut self, fault: Fault) -> io::Error {
        self.failed = Some(fault.clone());
        io::Error::new(io::ErrorKind::InvalidData, fault)
    }

    fn spend(&mut self, count: usize) -> Result<(), Fault> {
        self.tray.received.fetch_add(count as u64, Ordering::Relaxed);
        let mut aside = self.tray.lock();
        match aside.budget.checked_sub(count as u64) {
            Some(left) => {
                aside.budget = left;
                Ok(())
            }
            None => Err(Fault::TooLarge("more bytes than were asked for".to_owned())),
        }
    }
}

impl<S: Read> Read for Guard<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.out.is_empty() {
            if let Some(fault) = &self.failed {
                return Err(io::Error::new(io::ErrorKind::InvalidData, fault.clone()));
            }
            if let Err(fault) = self.advance() {
                return Err(self.fail(fault));
            }
            if self.out.is_empty() && self.unread.is_empty() {
                let count = self.inner.read(&mut self.input)?;
                if count == 0 {
                    return Ok(0);
                }
                self.unread = 0..count;
                if let Err(fault) = self.spend(count) {
                    return Err(self.fail(fault));
                }
            }
        }
        let ready = self.out.get(self.out_at..).unwrap_or_default();
        let count = ready.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..count), ready.get(..count)) {
            to.copy_from_slice(from);
        }
        self.out_at += count;
        if self.out_at >= self.out.len() {
            self.out.clear();
            self.out_at = 0;
        }
        Ok(count)
    }
}

impl<S: Write> Write for Guard<S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let (at, swap) = {
            let mut aside = self.tray.lock();
            let at = aside.swap.as_ref().and_then(|swap| find(buf, &swap.stand_in));
            // Taken out before it is sent: a server that asks twice does not get it twice.
            (at, if at.is_some() { aside.swap.take() } else { None })
        };
        let (Some(at), Some(swap)) = (at, swap) else { return self.inner.write(buf) };
        self.inner.write_all(buf.get(..at).unwrap_or_default())?;
        self.inner.write_all(&swap.real)?;
        self.inner.write_all(buf.get(at + swap.stand_in.len()..).unwrap_or_default())?;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives out its bytes in pieces of a fixed size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buf.len()).min(self.0.len());
            buf[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn pass(input: &[u8], piece: usize) -> (Vec<u8>, Result<(), Fault>, Arc<Tray>) {
        let tray = Arc::new(Tray::default());
        tray.begin(1 << 20, 4 << 20);
        let mut guard = Guard::new(Pieces(input, piece), Arc::clone(&tray), 4096, 8);
        let mut passed = Vec::new();
        let end = guard.read_to_end(&mut passed).map(|_| ());
        let end = end.map_err(|e| e.into_inner().unwrap().downcast_ref::<Fault>().unwrap().clone());
        (passed, end, tray)
    }

    fn passes(input: &str) -> String {
        let (passed, end, _) = pass(input.as_bytes(), 7);
        assert_eq!(end, Ok(()));
        String::from_utf8(passed).unwrap()
    }

    #[test]
    fn lifts_literals_out() {
        let input = b"* 1 FETCH (UID 7 BODY[] {6}\r\n\0\r\n)\xff\" FLAGS ())\r\na1 OK done\r\n";
        for piece in 1..input.len() {
            let (passed, end, tray) = pass(input, piece);
            assert_eq!(end, Ok(()));
            let expected: &[u8] =
                b"* 1 FETCH (UID 7 BODY[] {9}\r\n\x0000000000 FLAGS ())\r\na1 OK done\r\n";
            assert_eq!(passed, expected);
            assert_eq!(tray.lock().resolve(b"\x0000000000"), b"\0\r\n)\xff\"");
        }
    }

    #[test]
    fn a_quoted_string_is_not_a_token() {
        let (passed, end, tray) = pass(b"* 1 FETCH (UID 7 BODY[] \"\x0000000000\")\r\n", 99);
        assert_eq!((passed, end), (Vec::new(), Ok(())));
        assert_eq!(tray.lock().unreadable, [Some(7)]);
    }

    #[test]
    fn leaves_out_what_the_library_cannot_stand() {
        assert_eq!(passes("* NO disk full\r\n* BAD x\r\n* XNEW 1\r\na1 OK x\r\n"), "a1 OK x\r\n");
        assert_eq!(passes("* 2 FETCH (UID 2 X-NEW 5)\r\n* 3 EXISTS\n"), "* 3 EXISTS\r\n");
        assert_eq!(passes("a1 OK [WEIRD (] größer\r\n"), "a1 OK [WEIRD (] gr????er\r\n");
        assert_eq!(
            passes("* 1 FETCH (UID 1 FLAGS (gr\u{fc}n))\r\n"),
            "* 1 FETCH (UID 1 FLAGS (gr??n))\r\n"
        );
    }

    #[test]
    fn keeps_alerts_and_warnings_for_the_user() {
        let (_, _, tray) = pass(b"* NO disk \x1b[31m full\r\na1 OK [ALERT] hi \x1b]0;x\x07\r\n", 9);
        assert_eq!(
            tray.lock().notes,
            ["the server warns: NO disk ␛[31m full", "the server says: hi ␛]0;x␇"]
        );
    }

    #[test]
    fn puts_the_secret_in_once_on_the_way_out() {
        let tray = Arc::new(Tray::default());
        tray.lock().swap(b"\x01s\x01", Zeroizing::new(b"hunter2".to_vec()));
        assert!(!format!("{tray:?}").contains("hunter"));
        let mut guard = Guard::new(Vec::new(), tray, 4096, 8);
        for _ in 0..2 {
            guard.write_all(b"a1 LOGIN \"u\" \"\x01s\x01\"\r\n").unwrap();
        }
        let expected = b"a1 LOGIN \"u\" \"hunter2\"\r\na1 LOGIN \"u\" \"\x01s\x01\"\r\n";
        assert_eq!(guard.inner, expected);
    }

    #[test]
    fn stops_at_its_bounds() {
        let fault = |input: &[u8]| pass(input, 1000).1.unwrap_err();
        assert!(matches!(fault(&[b'x'; 5000]), Fault::TooLarge(_)));
        assert!(matches!(fault(b"* 1 FETCH (BODY[] {4294967296}\r\nabc"), Fault::TooLarge(_)));
        assert!(matches!(fault(b"* LIST () {99999999}\r\nabc"), Fault::TooLarge(_)));
        let deep = format!("* 1 FETCH (BODYSTRUCTURE {}\r\n", "(".repeat(9));
        assert!(matches!(fault(deep.as_bytes()), Fault::TooLarge(_)));
        assert!(matches!(fault(b"* 4294967296 EXISTS\r\n"), Fault::Broken(_)));
        assert!(matches!(fault(b"HTTP/1.1 400\r\n"), Fault::Broken(_)));
        assert_eq!(fault(b"* BYE so long\r\na1 OK\r\n"), Fault::Bye("so long".to_owned()));
        assert!(matches!(fault(&b"* 1 EXISTS\r\n".repeat(500_000)), Fault::TooLarge(_)));
    }

    #[test]
    fn parentheses_in_quotes_and_literals_do_not_count() {
        let text = "(".repeat(50);
        let quoted = format!("* LIST () \"/\" \"{text}\\\"{text}\"\r\n");
        assert_eq!(passes(&quoted), quoted);
        let (_, end, _) = pass(format!("* 1 FETCH (BODY[] {{50}}\r\n{text})\r\n").as_bytes(), 3);
        assert_eq!(end, Ok(()));
    }

    proptest! {
        #[test]
        fn no_input_panics_and_all_that_passes_parses(
            input in prop::collection::vec(prop_oneof![
                Just(b"* ".to_vec()), Just(b"1 FETCH (".to_vec()), Just(b"UID 3 ".to_vec()), Just(b"{3}\r\n".to_vec()),
                Just(b"\r\n".to_vec()), Just(b")".to_vec()), Just(b"\"".to_vec()), Just(b"a1 OK [".to_vec()),
                Just(b"BODY[] ".to_vec()), Just(b"FLAGS (".to_vec()), prop::collection::vec(any::<u8>(), 0..6),
            ], 0..40),
            piece in 1_usize..50,
        ) {
            let input = input.concat();
            let (passed, end, _) = pass(&input, piece);
            let (whole, whole_end, _) = pass(&input, usize::MAX);
            prop_assert_eq!(&passed, &whole);
            prop_assert_eq!(end, whole_end);
            let mut rest: &[u8] = &passed;
            while !rest.is_empty() && !rest.starts_with(b"+") {
                rest = parse_response(rest).map_err(|_| TestCaseError::fail("unreadable response passed"))?.0;
            }
        }

        #[test]
        fn bodies_arrive_byte_exact(body in prop::collection::vec(any::<u8>(), 0..3000), piece in 1_usize..200) {
            let mut input = format!("* 1 FETCH (UID 1 BODY[] {{{}}}\r\n", body.len()).into_bytes();
            input.extend_from_slice(&body);
            input.extend_from_slice(b")\r\n");
            let (_, end, tray) = pass(&input, piece);
            prop_assert_eq!(end, Ok(()));
            prop_assert_eq!(tray.lock().resolve(b"\x0000000000"), body);
        }
    }
}
