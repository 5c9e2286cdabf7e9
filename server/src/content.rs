//! The content of every record, by audience: what replicas are compared with.

use std::collections::BTreeMap;

use foras_record::document::Document;
use foras_record::kind::Kind;
use foras_wire::audience::AudienceName;
use foras_wire::id::Digest32;
use foras_wire::reconcile::{Combined, combined};
use foras_wire::record::RecordKey;

use crate::error::ServerError;
use crate::server::Server;
use crate::storage::{digests, records};

impl Server {
    /// The digest of the server's copies of these audiences, in their order.
    ///
    /// # Errors
    /// [`ServerError`] when the database fails.
    pub fn digest(&self, audiences: &[AudienceName]) -> Result<Combined, ServerError> {
        self.db.read(|db| {
            let sums = audiences.iter().map(|audience| digests::of_audience(db, audience.as_str()));
            Ok(combined(sums.collect::<Result<Vec<_>, _>>()?))
        })
    }

    /// Fingerprints of the content of every record, by the audiences that hold it now, replayed from the changes
    /// themselves. Records of kinds that this build does not know are left out.
    ///
    /// # Errors
    /// [`ServerError`] when the database fails or a record cannot be replayed.
    pub fn content_by_audience(&self) -> Result<BTreeMap<AudienceName, BTreeMap<RecordKey, Digest32>>, ServerError> {
        self.db.read(|db| {
            let mut content: BTreeMap<AudienceName, BTreeMap<RecordKey, Digest32>> = BTreeMap::new();
            for record in records::all(db)? {
                let Some(kind) = Kind::of_code(record.key.kind) else { continue };
                let chunks = records::chunks(db, &record.key, i64::MAX.unsigned_abs())?;
                let document = Document::replay(kind, chunks.iter().map(Vec::as_slice))
                    .map_err(|_| ServerError::Corrupt("a record cannot be replayed"))?;
                let fingerprint = document.content().fingerprint();
                for (audience, left) in records::audiences(db, &record.key)? {
                    if left.is_none() {
                        let audience =
                            audience.parse().map_err(|_| ServerError::Corrupt("an audience's name does not read"))?;
                        content.entry(audience).or_default().insert(record.key, fingerprint);
                    }
                }
            }
            Ok(content)
        })
    }
}
