//! Tests of the guard.

use super::*;
use proptest::prelude::*;
use zeroize::Zeroizing;

const PATIENCE: Duration = Duration::from_secs(1);

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

impl Write for Pieces<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Duplex for Pieces<'_> {
    fn give_up_after(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }
}

fn pass(input: &[u8], piece: usize) -> (Vec<u8>, Result<(), Fault>, Arc<Tray>) {
    let tray = Arc::new(Tray::default());
    tray.begin(1 << 20, 4 << 20);
    let mut guard = Guard::new(Pieces(input, piece), Arc::clone(&tray), 4096, 8, PATIENCE);
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
    let mut guard = Guard::new(Vec::new(), tray, 4096, 8, PATIENCE);
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

/// Reads its script, and keeps what is written.
struct Talk {
    script: Vec<io::Result<&'static [u8]>>,
    written: Vec<u8>,
    patience: Vec<Duration>,
}

impl Read for Talk {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.script.is_empty() {
            return Ok(0);
        }
        let next = self.script.remove(0);
        if let (Err(_), Some(patience)) = (&next, self.patience.last()) {
            std::thread::sleep(*patience);
        }
        let piece = next?;
        buf[..piece.len()].copy_from_slice(piece);
        Ok(piece.len())
    }
}

impl Write for Talk {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.written.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Duplex for Talk {
    fn give_up_after(&mut self, time: Duration) -> io::Result<()> {
        self.patience.push(time);
        Ok(())
    }
}

fn idle(script: Vec<io::Result<&'static [u8]>>, time: Duration) -> (String, Talk) {
    let tray = Arc::new(Tray::default());
    tray.begin(0, 4096);
    tray.lock().idle_until(Instant::now() + time);
    let talk = Talk { script, written: Vec::new(), patience: Vec::new() };
    let mut guard = Guard::new(talk, tray, 4096, 8, PATIENCE);
    let mut passed = Vec::new();
    guard.read_to_end(&mut passed).unwrap();
    (String::from_utf8(passed).unwrap(), guard.inner)
}

#[test]
fn an_idle_ends_at_news_and_not_at_small_talk() {
    let (passed, talk) = idle(
        vec![
            Ok(b"+ idling\r\n"),
            Ok(b"* OK Still here\r\n* 0 RECENT\r\n"),
            Ok(b"* 4 EXISTS\r\n"),
            Ok(b"a1 OK done\r\n"),
        ],
        Duration::from_secs(60),
    );
    assert_eq!(talk.written, b"DONE\r\n");
    assert!(passed.ends_with("* 4 EXISTS\r\na1 OK done\r\n") && !passed.contains('+'), "{passed}");
    assert_eq!(talk.patience.last(), Some(&PATIENCE));
}

#[test]
fn news_before_the_yes_is_not_answered_too_early() {
    let (_, talk) = idle(
        vec![Ok(b"* 4 EXISTS\r\n"), Ok(b"+ idling\r\n"), Ok(b"a1 OK done\r\n")],
        Duration::from_secs(60),
    );
    assert_eq!(talk.written, b"DONE\r\n");
}

#[test]
fn an_idle_ends_when_its_time_has_come() {
    let late = || Err(io::Error::from(io::ErrorKind::WouldBlock));
    let (passed, talk) =
        idle(vec![Ok(b"+ \r\n"), late(), Ok(b"a1 OK done\r\n")], Duration::from_millis(5));
    assert_eq!((passed.as_str(), talk.written.as_slice()), ("a1 OK done\r\n", &b"DONE\r\n"[..]));
}

#[test]
fn a_command_ahead_goes_in_the_same_write_and_its_answer_stays_here() {
    let tray = Arc::new(Tray::default());
    tray.begin(0, 4096);
    tray.lock().send_ahead("ENABLE QRESYNC");
    let script =
        vec![Ok(&b"* ENABLED QRESYNC\r\ne1 OK [CAPABILITY imap4rev1 X] y\r\na2 OK z\r\n"[..])];
    let talk = Talk { script, written: Vec::new(), patience: Vec::new() };
    let mut guard = Guard::new(talk, Arc::clone(&tray), 4096, 8, PATIENCE);
    guard.write_all(b"a2 EXAMINE x\r\n").unwrap();
    guard.write_all(b"a3 NOOP\r\n").unwrap();
    assert_eq!(guard.inner.written, b"e1 ENABLE QRESYNC\r\na2 EXAMINE x\r\na3 NOOP\r\n");
    let mut passed = String::new();
    guard.read_to_string(&mut passed).unwrap();
    assert_eq!(passed, "* ENABLED QRESYNC\r\na2 OK z\r\n");
    assert_eq!(tray.lock().granted, Some(true));
    assert_eq!(
        tray.lock().capabilities.as_deref(),
        Some(&["IMAP4REV1".to_owned(), "X".into()][..])
    );
}
