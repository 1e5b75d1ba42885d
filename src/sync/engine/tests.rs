//! The engine in a world made from a seed: a server that changes while it is read, a network that breaks, short
//! reads, answers out of order and twice, and a disk under the sink that fails before, within or after a write.
//!
//! Everything that happens follows from the seed, which a failure names. `CASEBOOK_SEEDS` sets how many are played,
//! `CASEBOOK_SEED` the first one.

mod server;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Dial, Engine, Round};
use crate::sync::cancel::Cancel;
use crate::sync::cursor::{Cursor, UidSet};
use crate::sync::error::{SinkError, SyncError};
use crate::sync::secret::Secret;
use crate::sync::{Account, Fetched, Limits, Meta, Security, Sink, Summary, Timeouts};
use server::World;

/// Numbers that look random: xorshift, from a spread seed.
#[derive(Clone, Debug)]
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// Yes, once in `times`.
    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Mailbox, UIDVALIDITY, UID.
type Place = (String, u32, u32);

/// A mail on the disk.
struct Copy {
    /// It is what the server has there.
    here: bool,
    second: i64,
    flags: Vec<String>,
}

/// What survives a crash, and a sink on top of it that may fail.
struct Disk {
    mails: BTreeMap<(Place, Vec<u8>), Copy>,
    cursors: BTreeMap<String, Vec<u8>>,
    dice: Dice,
    failing: bool,
    wrong: Vec<String>,
}

impl Disk {
    fn new(seed: u64, failing: bool) -> Self {
        Self {
            mails: BTreeMap::new(),
            cursors: BTreeMap::new(),
            dice: Dice::new(seed),
            failing,
            wrong: Vec::new(),
        }
    }

    /// What the server has there, as far as is known.
    fn at(&mut self, place: &Place) -> Option<(&Vec<u8>, &mut Copy)> {
        let all = self.mails.range_mut((place.clone(), Vec::new())..);
        let mut here =
            all.take_while(|((other, _), _)| other == place).filter(|(_, copy)| copy.here);
        here.next().map(|((_, raw), copy)| (raw, copy))
    }

    fn cursors(&self) -> Vec<Cursor> {
        self.cursors.values().map(|bytes| Cursor::decode(bytes).unwrap()).collect()
    }
}

impl Sink for Disk {
    fn store(&mut self, batch: Vec<Fetched>, cursor: &Cursor) -> Result<(), SinkError> {
        let crash = if self.failing { self.dice.below(24) } else { u64::MAX };
        let failed = || Err(SinkError("crash".into()));
        if crash == 0 {
            return failed();
        }
        let known = self.cursors().into_iter().find(|known| known.mailbox == cursor.mailbox);
        let part = if crash == 1 { batch.len() / 2 } else { batch.len() };
        for mail in batch.into_iter().take(part) {
            let done = known.as_ref().is_some_and(|known| {
                known.uid_validity == mail.uid_validity && known.done.contains(mail.uid)
            });
            if done {
                self.wrong.push(format!("{} was asked for again", mail.uid));
            }
            let place = (mail.mailbox, mail.uid_validity, mail.uid);
            if let Some((_, copy)) = self.at(&place) {
                copy.here = false;
            }
            let second = mail.internal_date.map_or(0, |date| date.as_second());
            let copy = Copy { here: true, second, flags: mail.flags };
            self.mails.insert((place, mail.raw), copy);
        }
        if crash == 1 || crash == 2 {
            // The mails are safe, or some are; the cursor is not.
            return failed();
        }
        self.cursors.insert(cursor.mailbox.clone(), cursor.encode().unwrap());
        if crash == 3 { failed() } else { Ok(()) }
    }

    fn vanished(&mut self, name: &str, validity: u32, uids: &UidSet) -> Result<(), SinkError> {
        if self.failing && self.dice.once_in(24) {
            return Err(SinkError("crash".into()));
        }
        for (((n, v, uid), _), copy) in &mut self.mails {
            copy.here &= n != name || *v != validity || !uids.contains(*uid);
        }
        Ok(())
    }

    fn compare(&mut self, name: &str, validity: u32, now: &[Meta]) -> Result<UidSet, SinkError> {
        if self.failing && self.dice.once_in(24) {
            return Err(SinkError("crash".into()));
        }
        let mut strange = UidSet::new();
        for meta in now {
            match self.at(&(name.to_owned(), validity, meta.uid)) {
                Some((raw, copy))
                    if meta.size.is_none_or(|size| size as usize == raw.len())
                        && meta.internal_date.is_none_or(|at| at.as_second() == copy.second) =>
                {
                    copy.flags = meta.flags.clone().unwrap_or_else(|| copy.flags.clone());
                }
                _ => strange.insert(meta.uid),
            }
        }
        Ok(strange)
    }

    fn settled(&mut self, name: &str, validity: u32) -> Result<(), SinkError> {
        for (((n, v, _), _), copy) in &mut self.mails {
            copy.here &= n != name || *v == validity;
        }
        Ok(())
    }
}

fn dial(world: &Arc<Mutex<World>>) -> Arc<Dial> {
    let theirs = Arc::clone(world);
    Arc::new(move |_, _| server::dial(&theirs))
}

fn account(dice: &mut Dice) -> Account {
    let mut account = Account::new("simulated", 1, Security::Tls, "u");
    account.also = vec!["Sent".to_owned()];
    account.timeouts = Timeouts { retry: Duration::ZERO, ..Timeouts::default() };
    account.limits = Limits {
        batch_messages: 1 + dice.below(9) as usize,
        batch_bytes: 200 + dice.below(4000),
        whole_bytes: 600 + dice.below(600),
        slice_bytes: 100 + dice.below(500) as u32,
        window: 1 + dice.below(40) as u32,
        ..Limits::default()
    };
    account
}

fn pull(
    account: &Account,
    world: &Arc<Mutex<World>>,
    disk: &mut Disk,
) -> Result<Summary, SyncError> {
    let dial = dial(world);
    let (cursors, cancel) = (disk.cursors(), Cancel::new());
    let mut secret = || Ok(Secret::new("p".to_owned()));
    let mut quiet = |_| {};
    let mut engine = Engine::new(account, dial, &mut secret, cursors, disk, &cancel, &mut quiet);
    engine.round()?;
    engine.goodbye();
    Ok(engine.take_summary())
}

/// Plays one seed; what is wrong in the end.
fn play(seed: u64) -> Vec<String> {
    let mut dice = Dice::new(seed);
    let account = account(&mut dice);
    let world = Arc::new(Mutex::new(World::new(&mut dice)));
    let mut disk = Disk::new(dice.next(), true);
    for _ in 0..1 + dice.below(8) {
        // However it ends, the next one goes on from what the disk has.
        let _ended = pull(&account, &world, &mut disk);
        let mut world = lock(&world);
        world.drop_connections();
        (0..dice.below(4)).for_each(|_| world.change(&mut dice));
    }
    lock(&world).calm = true;
    disk.failing = false;
    let mut last = Ok(Summary::default());
    for _ in 0..3 {
        lock(&world).commands.clear();
        last = pull(&account, &world, &mut disk);
        lock(&world).drop_connections();
    }
    let mut wrong = std::mem::take(&mut disk.wrong);
    let world = lock(&world);
    if world.poison.is_none() {
        match last {
            Ok(summary) if summary.quarantined.is_empty() && summary.new == 0 => {}
            other => wrong.push(format!("the last pull: {other:?}")),
        }
        let asked = |command: &&String| command.contains("FETCH") || command.contains("SEARCH");
        wrong.extend(world.commands.iter().filter(asked).cloned());
    }
    wrong.extend(losses(&world, &disk));
    wrong
}

/// What is missing, forged, wrongly marked, or has other flags than the server tells.
fn losses(world: &World, disk: &Disk) -> Vec<String> {
    let mut wrong = Vec::new();
    let now = world.places();
    for (place, mail) in &now {
        match disk.mails.get(&(place.clone(), mail.raw.clone())) {
            Some(copy) if !copy.here => wrong.push(format!("{place:?} is marked as gone")),
            Some(copy) if copy.flags != mail.flags && (world.qresync || world.condstore) => {
                wrong.push(format!("{place:?} has {:?}, not {:?}", copy.flags, mail.flags));
            }
            Some(_) => {}
            None if world.is_poison(&mail.raw) => {}
            None => wrong.push(format!("{place:?} is missing")),
        }
    }
    for (key, copy) in &disk.mails {
        let (place, raw) = key;
        if !world.ever.contains(key) {
            wrong.push(format!("{place:?} is not what the server had"));
        }
        // An empty mailbox is no proof that its mails were removed, except where the server names them.
        let empty = !now.keys().any(|(name, ..)| *name == place.0);
        let here = now.get(place).is_some_and(|mail| mail.raw == *raw);
        if world.poison.is_none() && !empty && copy.here && !here {
            wrong.push(format!("{place:?} is not marked as gone"));
        }
    }
    wrong
}

#[test]
fn nothing_is_lost_doubled_or_forged_whatever_happens() {
    let number = |name: &str, default| {
        std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
    };
    let (first, count) = (number("CASEBOOK_SEED", 1), number("CASEBOOK_SEEDS", 300));
    for seed in first..first + count {
        let wrong = play(seed);
        assert!(wrong.is_empty(), "CASEBOOK_SEED={seed} CASEBOOK_SEEDS=1: {wrong:#?}");
    }
}

/// A watch over a world that goes on changing, cut off often: it comes back by itself each time and in the end has
/// everything; a refused login ends it.
#[test]
fn a_watch_comes_back_by_itself_but_never_after_a_refusal() {
    for seed in 1..20 {
        let mut dice = Dice::new(seed);
        let mut account = account(&mut dice);
        account.timeouts.offline = Duration::from_nanos(1);
        let mut world = World::new(&mut dice);
        world.poison = None;
        let world = Arc::new(Mutex::new(world));
        let mut disk = Disk::new(1, false);
        let (dial, cancel) = (dial(&world), Cancel::new());
        let (mut secret, mut quiet) = (|| Ok(Secret::new("p".to_owned())), |_| {});
        let engine = Engine::new(&account, dial, &mut secret, [], &mut disk, &cancel, &mut quiet);
        let (mut done, mut offline) = (0, 0);
        let ended = engine.watch(&mut |round| {
            let mut world = lock(&world);
            match round {
                Round::Done(_) => {
                    done += 1;
                    if done == 40 {
                        world.refuses = true;
                        world.drop_connections();
                    }
                    world.calm = done > 30;
                    let changes = if world.calm { 0 } else { 3 };
                    (0..changes).for_each(|_| world.change(&mut dice));
                }
                Round::Offline(_) => offline += 1,
            }
        });
        assert!(matches!(ended, Err(SyncError::LoginRefused { .. })), "{seed}: {ended:?}");
        let world = lock(&world);
        assert_eq!((done, world.refused), (40, 1), "{seed}: {offline} times offline");
        assert_eq!(losses(&world, &disk), Vec::<String>::new(), "{seed}");
    }
}

#[test]
fn nothing_new_costs_one_round_trip_after_the_login() {
    for seed in 1..40 {
        let mut dice = Dice::new(seed);
        let mut account = account(&mut dice);
        account.also.clear();
        let mut world = World::new(&mut dice);
        (world.calm, world.poison) = (true, None);
        let world = Arc::new(Mutex::new(world));
        let mut disk = Disk::new(1, false);
        pull(&account, &world, &mut disk).expect("calm");
        lock(&world).commands.clear();
        lock(&world).writes.clear();
        assert_eq!(pull(&account, &world, &mut disk).expect("calm").new, 0);
        let world = lock(&world);
        let login = world
            .writes
            .iter()
            .rposition(|write| write.contains("AUTH") || write.contains("LOGIN"));
        let after: Vec<&String> = world.writes.iter().skip(login.map_or(0, |at| at + 1)).collect();
        // An answer to a SASL challenge still belongs to the login, as does the question of a server that told
        // nothing; the goodbye is not waited for.
        let waited = after.iter().filter(|write| {
            !write.contains("LOGOUT") && !write.contains("CAPABILITY") && write.contains(' ')
        });
        assert_eq!(waited.count(), 1, "seed {seed}: {after:?}");
    }
}
