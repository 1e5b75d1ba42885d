//! The policies that cases were judged under: data and text, each kept once under the hash of its bytes.
//!
//! They lie beside archive and journal in `policies/` and are never changed. Without one of them a case can still be
//! read; only what its policy said then cannot be quoted any more.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::error::{IoContext as _, StoreError};
use super::{Store, files};
use crate::domain::ids::hex;

/// Largest part that is kept or read, in bytes.
const MAX_BYTES: u64 = 4 << 20;

/// Most parts that are listed; a project does not change its policy more often.
const MOST: usize = 1_000;

/// A part of a policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyPart {
    /// The policy's data: a TOML file.
    Data,
    /// The project's own text: a Markdown file.
    Text,
}

impl PolicyPart {
    const fn extension(self) -> &'static str {
        match self {
            Self::Data => "toml",
            Self::Text => "md",
        }
    }
}

impl Store {
    fn policies(&self) -> PathBuf {
        self.dir.join("policies")
    }

    /// Keeps a part under its hash, which is returned; one that is there already is left alone.
    ///
    /// # Errors
    /// If the store is read-only or the file cannot be written.
    pub fn keep_policy(&self, part: PolicyPart, text: &str) -> Result<String, StoreError> {
        self.refuse_read_only("keep the policy")?;
        let hash = hex(&Sha256::digest(text.as_bytes()));
        let folder = self.policies();
        let path = folder.join(format!("{hash}.{}", part.extension()));
        if self.kept_policy(part, &hash)?.is_none() {
            let doing = "keep the policy";
            files::make_dir(&folder).context(doing, &folder)?;
            files::write_whole(&path, text.as_bytes()).context(doing, &path)?;
        }
        Ok(hash)
    }

    /// A part by its hash; `None` where it is not kept or is no longer what was kept.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn kept_policy(&self, part: PolicyPart, hash: &str) -> Result<Option<String>, StoreError> {
        if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let path = self.policies().join(format!("{hash}.{}", part.extension()));
        let Ok(file) = fs::File::open(&path) else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(MAX_BYTES).read_to_end(&mut bytes).context("read a kept policy", &path)?;
        if hex(&Sha256::digest(&bytes)) != hash {
            return Ok(None);
        }
        Ok(String::from_utf8(bytes).ok())
    }

    /// The hashes of the kept texts.
    ///
    /// # Errors
    /// If the folder is there and cannot be read.
    pub fn kept_texts(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.kept(PolicyPart::Text)?.into_iter().map(|(hash, _)| hash).collect())
    }

    /// Names of kept parts that are not what was kept.
    ///
    /// # Errors
    /// If a file cannot be read at all.
    pub fn damaged_policies(&self) -> Result<Vec<String>, StoreError> {
        let mut damaged = Vec::new();
        for part in [PolicyPart::Data, PolicyPart::Text] {
            for (hash, name) in self.kept(part)? {
                if self.kept_policy(part, &hash)?.is_none() {
                    damaged.push(format!("policies/{name}"));
                }
            }
        }
        Ok(damaged)
    }

    /// Hash and file name of every kept part of a kind, in the order of their names.
    fn kept(&self, part: PolicyPart) -> Result<Vec<(String, String)>, StoreError> {
        let folder = self.policies();
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let doing = "list the kept policies";
        let mut found = Vec::new();
        for item in fs::read_dir(&folder).context(doing, &folder)?.take(MOST) {
            let name = item.context(doing, &folder)?.file_name().to_string_lossy().into_owned();
            if let Some((hash, extension)) = name.split_once('.')
                && extension == part.extension()
            {
                found.push((hash.to_owned(), name.clone()));
            }
        }
        found.sort();
        Ok(found)
    }
}
