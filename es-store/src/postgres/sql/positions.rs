//! The prepared statements about positions in upstreams.

use crate::postgres::names::Names;
use crate::sql::followed;

/// A statement about positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::postgres) enum PositionSql {
    Tracked,
    /// Everything that is recorded about following an upstream.
    Followed,
    /// The same, where the tables of what is set aside are missing.
    FollowedWithoutAside,
    /// The count of what is set aside and waits.
    Waiting,
    Lock,
    Start,
    Move,
    /// The policies that count for positions.
    Policies,
    /// The event and the policies of new positions.
    Keep,
    PutTopics,
    RemoveTopics,
    EndReplays,
}

impl PositionSql {
    pub(super) fn text(self, names: &Names) -> String {
        let tracking = names.path(&names.tracking);
        let upstream = names.path(&names.upstream);
        let policies = names.path(&names.policies);
        match self {
            Self::Tracked => {
                format!("SELECT MAX(notification_id) FROM {tracking} WHERE application_name = $1")
            }
            Self::Followed => {
                followed::statement(&tracking, &upstream, &policies, Some(&names.aside()))
            }
            Self::FollowedWithoutAside => {
                followed::statement(&tracking, &upstream, &policies, None)
            }
            Self::Waiting => followed::waiting(&names.aside(), sequences),
            Self::Lock => format!(
                "SELECT application_name, notification_id FROM {tracking} WHERE application_name = ANY ($1) \
                 ORDER BY application_name FOR UPDATE"
            ),
            Self::Start => start_tracking(names, "$1"),
            Self::Move => move_tracking(names, "$1", "$2", "$3"),
            Self::Policies => format!(
                "SELECT u.application_name, u.policies FROM unnest($1::text[], $2::bigint[]) AS m(upstream, at) \
                 JOIN {upstream} AS u ON u.application_name = m.upstream AND u.policies_at = m.at \
                 WHERE u.policies IS NOT NULL"
            ),
            Self::Keep => keep_upstream(names, ["$1", "$2", "$3", "$4", "$5", "$6"]),
            Self::PutTopics => format!(
                "INSERT INTO {policies} (upstream, topic, covered) \
                 SELECT m.upstream, m.topic, m.covered FROM unnest($1::text[], $2::text[], $3::bigint[]) \
                 AS m(upstream, topic, covered) ON CONFLICT (upstream, topic) DO UPDATE SET covered = excluded.covered"
            ),
            Self::RemoveTopics => format!(
                "DELETE FROM {policies} AS p USING unnest($1::text[], $2::text[]) AS m(upstream, topic) \
                 WHERE p.upstream = m.upstream AND p.topic = m.topic"
            ),
            Self::EndReplays => format!(
                "WITH ended AS (DELETE FROM {tracking} WHERE application_name = ANY ($1)) \
                 DELETE FROM {upstream} WHERE application_name = ANY ($1)"
            ),
        }
    }
}

/// Returns the query that counts the events of each sequence. The lowest array is that of the
/// lowest position.
fn sequences(failures: &str, condition: &str) -> String {
    format!(
        "SELECT count(*) AS n, (min(ARRAY[position, due]))[2] AS due FROM {failures} \
         WHERE {condition} GROUP BY sequence"
    )
}

pub(in crate::postgres) fn start_tracking(names: &Names, upstreams: &str) -> String {
    format!(
        "INSERT INTO {} AS t (application_name, notification_id) \
         SELECT m.upstream, 0 FROM unnest({upstreams}::text[]) AS m(upstream) ON CONFLICT DO NOTHING",
        names.path(&names.tracking)
    )
}

pub(in crate::postgres) fn move_tracking(
    names: &Names,
    upstreams: &str,
    froms: &str,
    tos: &str,
) -> String {
    format!(
        "UPDATE {} AS t SET notification_id = m.upto \
         FROM unnest({upstreams}::text[], {froms}::bigint[], {tos}::bigint[]) AS m(upstream, start, upto) \
         WHERE t.application_name = m.upstream AND t.notification_id = m.start",
        names.path(&names.tracking)
    )
}

/// Returns the statement that selects moves whose policies are not those that count for the
/// position at which they start. Execute it after the positions were moved, which locks them.
pub(in crate::postgres) fn other_policies(names: &Names, moves: [&str; 4]) -> String {
    let [upstreams, froms, expected, policies] = moves;
    format!(
        "SELECT FROM unnest({upstreams}, {froms}, {expected}, {policies}) AS m(upstream, start, expected, policies) \
         LEFT JOIN {} AS u ON u.application_name = m.upstream AND u.policies_at = m.start \
         WHERE m.policies IS NOT NULL AND u.policies IS DISTINCT FROM m.expected",
        names.path(&names.upstream)
    )
}

/// Returns the statement that records the events and the policies of new positions. A value
/// that is not known is left as it is. It does not count, because it was recorded for another
/// position.
pub(in crate::postgres) fn keep_upstream(names: &Names, moves: [&str; 6]) -> String {
    let [upstreams, tos, ids, versions, identities, policies] = moves;
    format!(
        "INSERT INTO {} AS t (application_name, notification_id, originator_id, originator_version, \
         identity, identity_at, policies, policies_at) \
         SELECT m.upstream, CASE WHEN m.id IS NOT NULL THEN m.upto END, m.id, m.version, \
         m.identity, CASE WHEN m.identity IS NOT NULL THEN m.upto END, \
         m.policies, CASE WHEN m.policies IS NOT NULL THEN m.upto END \
         FROM unnest({upstreams}::text[], {tos}::bigint[], {ids}::text[], {versions}::bigint[], \
         {identities}::text[], {policies}::text[]) AS m(upstream, upto, id, version, identity, policies) \
         WHERE m.id IS NOT NULL OR m.policies IS NOT NULL ON CONFLICT (application_name) DO UPDATE SET \
         notification_id = coalesce(excluded.notification_id, t.notification_id), \
         originator_id = coalesce(excluded.originator_id, t.originator_id), \
         originator_version = coalesce(excluded.originator_version, t.originator_version), \
         identity = coalesce(excluded.identity, t.identity), \
         identity_at = coalesce(excluded.identity_at, t.identity_at), \
         policies = coalesce(excluded.policies, t.policies), \
         policies_at = coalesce(excluded.policies_at, t.policies_at)",
        names.path(&names.upstream)
    )
}
