use super::*;

const TAG: Tag = *b"12345678";

fn mail(raw: &[u8]) -> NewMail {
    NewMail {
        raw: raw.to_vec(),
        received: Timestamp::UNIX_EPOCH,
        received_from: ReceivedFrom::File,
        source: None,
    }
}

fn pack(mail: &NewMail) -> Vec<u8> {
    let (mut out, of) = (Vec::new(), MessageRef::of(&mail.raw));
    Packer::new().expect("zstd").pack((mail, of), 1, TAG, "ab", &mut out).expect("packs");
    out
}

/// What a record holds.
fn read(record: &[u8]) -> Result<(ArchiveHeader, Vec<Unpacked>), &'static str> {
    let (magic, rest) = record.split_first_chunk::<4>().expect("a magic number");
    let (length, rest) = rest.split_first_chunk::<4>().expect("a length");
    let (header, packed) =
        rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or("cut off")?;
    let Header::Record(header) = read_header(*magic, header)? else { return Err("a head") };
    let Content { raws, .. } = unpack(&header, packed);
    Ok((header, raws))
}

#[test]
fn a_record_tells_all_that_was_given() {
    let mut given = mail(b"Subject: x\n\nFrom here");
    let flags = vec!["\\Seen".to_owned(), "$x".to_owned()];
    given.source =
        Some(MailSource { mailbox: "INBOX".into(), uid_validity: 7, uid: 4_000_000_000, flags });
    (given.received, given.received_from) =
        ("2026-05-01T10:00:00.25Z".parse().expect("a time"), ReceivedFrom::Internaldate);
    let record = pack(&given);
    assert!(may_begin(&record, &TAG) && !may_begin(&record, b"87654321"));
    let (mut header, raws) = read(&record).expect("reads");
    let [Ok(raw)] = raws.as_slice() else { panic!("one message") };
    assert!(header.mails.remove(0).with(raw.clone()) == given);
    assert_eq!((header.seq, header.last(), header.by), (1, 1, WrittenBy::Tag(TAG)));
    assert!(header.prev.starts_with("ab00") && header.prev.len() == 32);
    // The header is what there is one of for each message: it has to stay short.
    assert!(record.len() - (header.packed as usize) < 136, "{}", record.len());
}

#[test]
fn the_chain_value_of_an_earlier_version_is_followed() {
    let chain = "0123456789abcdef0123456789abcdef".repeat(2);
    let mut header = read(&pack(&mail(b"x"))).expect("reads").0;
    assert!(!header.follows(&chain));
    header.prev = hex(&link(&chain));
    assert!(header.follows(&chain));
    assert_eq!(link(crate::domain::journal::NO_PREVIOUS), [0; CHECK]);
}

#[test]
fn every_changed_byte_of_a_record_is_noticed() {
    let whole = pack(&mail(b"Subject: x\n\nFrom here\n"));
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut bad = whole.clone();
            bad[at] ^= 1 << bit;
            let read = read(&bad).and_then(|(_, mut raws)| raws.remove(0));
            // Bits that zstd ignores leave the message as it was.
            assert!(read.is_err() || read == Ok(b"Subject: x\n\nFrom here\n".to_vec()), "{at}");
        }
    }
    // Only what zstd puts behind the content may be missing.
    for at in 8..whole.len() - 4 {
        let read = read(&whole[..at]).and_then(|(_, mut raws)| raws.remove(0));
        assert!(read.is_err(), "{at}");
    }
}

#[test]
fn a_header_with_endless_flags_still_fits() {
    let mut mail = mail(b"x");
    let flags = vec!["a".repeat(1000); 100];
    mail.source = Some(MailSource { mailbox: "INBOX".into(), uid_validity: 1, uid: 1, flags });
    let (header, _) = read(&pack(&mail)).expect("reads");
    assert_eq!(header.mails[0].source.as_ref().map(|source| source.flags.len()), Some(0));
}

#[test]
fn a_segment_head_names_the_store() {
    let head = segment_head("S");
    let (length, text) = head[4..].split_first_chunk::<4>().expect("a length");
    assert_eq!(text.len(), u32::from_le_bytes(*length) as usize);
    assert_eq!(read_header(MAGIC, text), Ok(Header::Segment("S".into())));
    assert!(may_begin(&head, &TAG));
}

#[test]
fn a_later_version_is_told_from_damage() {
    let later = text::framed(r#"{"mark":"cbk1","v":4,"new":true"#.into());
    assert_eq!(read_header(MAGIC, &later[8..]), Err(NEWER));
}

/// A record of version 1 or 2, with the items in one zstd frame.
fn earlier(mails: &[&[u8]], header: impl Fn(&[MailText], usize) -> String) -> Vec<u8> {
    let (mut items, mut texts) = (Vec::new(), Vec::new());
    for raw in mails {
        let start = items.len();
        mboxrd::quote(raw, Timestamp::UNIX_EPOCH, &mut items);
        let sha = hex(MessageRef::of(raw).digest());
        let newline = mboxrd::ends_in_newline(raw);
        let size = raw.len();
        let text = format!(
            r#""sha256":"{sha}","size":{size},"received":"1970-01-01T00:00:00Z","received_from":"file","final_newline":{newline}"#
        );
        texts.push(MailText { text, item: items.len() - start });
    }
    let packed = zstd::bulk::compress(&items, 1).expect("packs");
    [text::framed(header(&texts, packed.len())), packed].concat()
}

struct MailText {
    text: String,
    item: usize,
}

#[test]
fn a_record_of_the_first_version_is_read() {
    let record = earlier(&[b"Subject: x\n\nFrom here"], |mails, packed| {
        let mail = &mails[0].text;
        format!(r#"{{"mark":"cbk1","v":1,"store":"S","seq":7,{mail},"packed":{packed},"prev":"p""#)
    });
    let (header, raws) = read(&record).expect("reads");
    assert_eq!((header.seq, header.last()), (7, 7));
    assert!(header.by.is("S") && header.follows("p") && header.chain.len() == 64);
    assert_eq!(raws, [Ok(b"Subject: x\n\nFrom here".to_vec())]);
}

/// A record of version 2.
fn second(mails: &[&[u8]]) -> Vec<u8> {
    earlier(mails, |mails, packed| {
        let each = mails.iter().map(|mail| format!(r#"{{{},"item":{}}}"#, mail.text, mail.item));
        let mails = each.collect::<Vec<_>>().join(",");
        format!(
            r#"{{"mark":"cbk1","v":2,"store":"S","seq":7,"mails":[{mails}],"packed":{packed},"prev":"p""#
        )
    })
}

#[test]
fn of_a_damaged_record_of_the_second_version_the_messages_before_the_damage_are_given() {
    // Blocks of a frame hold 128 KB, and unlike messages cannot lean on each other.
    let body = |n: u32| -> Vec<u8> {
        (0..50_000u32).map(|i| (i.wrapping_mul(i ^ n) >> 7) as u8 | 0x40).collect()
    };
    let bodies: Vec<Vec<u8>> = (1..=9).map(body).collect();
    let mails: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
    let mut record = second(&mails);
    let (header, raws) = read(&record).expect("reads");
    assert_eq!((header.seq, header.last()), (7, 15));
    assert!(raws.iter().zip(&bodies).all(|(raw, body)| raw.as_ref() == Ok(body)));
    let at = record.len() - 20_000;
    record[at] ^= 0x10;
    let (_, some) = read(&record).expect("the header is good");
    assert_eq!(some.len(), 9);
    assert!(some[0] == Ok(bodies[0].clone()) && some.iter().any(Result::is_err));
}
