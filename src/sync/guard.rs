//! The wall between a server and the IMAP library.
//!
//! Owns: bounds on line, literal, nesting and total size; leaving out what the library cannot read or would
//! panic on; taking message bodies aside; keeping the secret from the library; the end of an IDLE, which the
//! library would only see at its own time. Absent on purpose: what answers mean. Read next: [`super::tray`],
//! [`super::session`].
//!
//! Why: the library buffers without a bound, overflows the stack on nested parentheses (an abort that nothing
//! catches), loses step with the server on one unreadable answer, and reads a literal again from its start
//! at every line end in it. So each response is put together here first, with every literal of a FETCH
//! taken aside and a token in its place; only a response that parses goes on. A token begins with NUL, which no
//! quoted string or atom may contain (RFC 3501 section 9), and all literals are replaced: a server cannot
//! forge one.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use imap_proto::parser::parse_response;
use imap_proto::types::{AttributeValue, Response};

use super::duplex::Duplex;
pub(crate) use super::lines::Fault;
use super::lines::{Kind, capabilities_in, classify, find, literal_at_end, plain_answer, uid_in};
use super::text::printable;
use super::tray::{AHEAD, TOKEN, Tray};

/// Size of one read from the socket, in bytes.
const READ: usize = 64 << 10;
/// Largest literal outside of FETCH answers, in bytes.
const SMALL_LITERAL: u64 = 64 << 10;
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
    /// How long a read may take when nobody idles.
    patience: Duration,
}

impl<S> Guard<S> {
    /// Guards `inner`: at most `response_bytes` per response without literals, parentheses nested at most
    /// `nesting` deep. `patience` is the time limit that reads of `inner` have.
    pub fn new(
        inner: S,
        tray: Arc<Tray>,
        response_bytes: usize,
        nesting: usize,
        patience: Duration,
    ) -> Self {
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
            patience,
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
        if self.response.starts_with(b"+") && self.agree_to_idle() {
            self.reset();
            return Ok(());
        }
        if let Some(words) = capabilities_in(&String::from_utf8_lossy(&self.response)) {
            self.tray.lock().capabilities = Some(words);
        }
        let tagged = !self.response.starts_with(b"* ") && !self.response.starts_with(b"+");
        if tagged && self.response.split(|&b| b == b' ').next() == Some(AHEAD.as_bytes()) {
            let granted = find(self.response.get(..AHEAD.len() + 3).unwrap_or_default(), b" OK");
            self.tray.lock().granted = Some(granted.is_some());
            self.reset();
            return Ok(());
        }
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
            self.overhear();
            self.out.append(&mut self.response);
            self.tray.lock().literals.append(&mut self.held);
        } else if kind == Kind::Fetch {
            let uid = uid_in(&self.response);
            self.tray.lock().unreadable.push(uid);
        }
        self.reset();
    }

    /// Takes a continuation request for a yes to IDLE, if that was asked for.
    fn agree_to_idle(&self) -> bool {
        let mut aside = self.tray.lock();
        if let Some(idle) = &mut aside.idle {
            idle.on = true;
        }
        aside.idle.is_some()
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

    /// Picks up what the library would not pass on in time.
    fn overhear(&self) {
        let line = String::from_utf8_lossy(self.response.trim_ascii_end());
        let mut words = line.split(' ').skip(1);
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let is = |word: &str, name: &str| word.eq_ignore_ascii_case(name);
        let mut aside = self.tray.lock();
        if is(first, "CAPABILITY") {
            let words = line.split(' ').skip(2).map(str::to_ascii_uppercase);
            aside.capabilities = Some(words.collect());
        }
        // Other flags are no news: they are followed when next there is some.
        if let Some(idle) = &mut aside.idle
            && (is(first, "VANISHED") || is(second, "EXISTS") || is(second, "EXPUNGE"))
        {
            idle.news = true;
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

impl<S: Duplex> Guard<S> {
    /// Reads more input; 0 at the end of it.
    fn fill(&mut self) -> io::Result<usize> {
        loop {
            let idle = self.tray.lock().idle.filter(|idle| idle.on);
            let Some(idle) = idle else { return self.inner.read(&mut self.input) };
            let left = idle.until.saturating_duration_since(Instant::now());
            if idle.news || left.is_zero() {
                self.end_idle()?;
                continue;
            }
            self.inner.give_up_after(left)?;
            match self.inner.read(&mut self.input) {
                Err(error) if is_time_out(&error) => {}
                other => return other,
            }
        }
    }

    /// Tells the server to finish the IDLE; its answer then ends the library's wait.
    fn end_idle(&mut self) -> io::Result<()> {
        self.tray.lock().idle = None;
        self.inner.give_up_after(self.patience)?;
        self.inner.write_all(b"DONE\r\n")?;
        self.inner.flush()
    }
}

fn is_time_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

impl<S: Duplex> Read for Guard<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.out.is_empty() {
            if let Some(fault) = &self.failed {
                return Err(io::Error::new(io::ErrorKind::InvalidData, fault.clone()));
            }
            if let Err(fault) = self.advance() {
                return Err(self.fail(fault));
            }
            if self.out.is_empty() && self.unread.is_empty() {
                let count = self.fill()?;
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
        let (ahead, at, swap) = {
            let mut aside = self.tray.lock();
            let ahead = std::mem::take(&mut aside.ahead);
            let at = aside.swap.as_ref().and_then(|swap| find(buf, &swap.stand_in));
            // Taken out before it is sent: a server that asks twice does not get it twice.
            (ahead, at, if at.is_some() { aside.swap.take() } else { None })
        };
        if !ahead.is_empty() {
            self.inner.write_all(&[&ahead, buf].concat())?;
            return Ok(buf.len());
        }
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
mod tests;
