//! Ids that are computed instead of stored.
//!
//! A tenant of 100,000 people has some 200 million restore points. None of them is kept: an id is a keyed permutation of
//! (kind, index, slot), written as a random-looking UUID, and turning it back tells what it names.

use uuid::Uuid;

/// Bits of one half of a scrambled payload; a UUID of version 4 has 122 free bits.
const HALF_BITS: u32 = 61;
const HALF_MASK: u64 = (1 << HALF_BITS) - 1;
/// Zero bits below each half. An id whose zeros do not come back was not made by this tenant.
const CHECK_BITS: u32 = 21;
const CHECK_MASK: u64 = (1 << CHECK_BITS) - 1;
const ROUNDS: u64 = 4;

/// What an id names. The numbers of workloads are those of [`super::workload::WORKLOADS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Tenant,
    Application,
    User,
    Group,
    Device,
    Site,
    Unit(u8),
    Point(u8),
    Policy(u8),
    Session,
    Artifact,
    Search,
    ServiceApp,
    Page,
    Folder,
    Request,
    Drive,
    BulkRequest,
    Library(u8),
    Item(u8),
    Browse,
    Activity,
    Rule(u8),
    Job(u8),
    Exclusion(u8),
    ExclusionJob(u8),
}

impl Kind {
    fn code(self) -> u64 {
        let (code, workload) = match self {
            Self::Tenant => (1, 0),
            Self::Application => (2, 0),
            Self::User => (3, 0),
            Self::Group => (4, 0),
            Self::Device => (5, 0),
            Self::Site => (6, 0),
            Self::Unit(workload) => (7, workload),
            Self::Point(workload) => (8, workload),
            Self::Policy(workload) => (9, workload),
            Self::Session => (10, 0),
            Self::Artifact => (11, 0),
            Self::Search => (12, 0),
            Self::ServiceApp => (13, 0),
            Self::Page => (14, 0),
            Self::Folder => (15, 0),
            Self::Request => (16, 0),
            Self::Drive => (17, 0),
            Self::BulkRequest => (18, 0),
            Self::Library(workload) => (19, workload),
            Self::Item(workload) => (20, workload),
            Self::Browse => (21, 0),
            Self::Activity => (22, 0),
            Self::Rule(workload) => (23, workload),
            Self::Job(workload) => (24, workload),
            Self::Exclusion(workload) => (25, workload),
            Self::ExclusionJob(workload) => (26, workload),
        };
        code << 2 | u64::from(workload)
    }

    fn from_code(code: u64) -> Option<Self> {
        let workload = u8::try_from(code & 3).ok()?;
        let kind = match code >> 2 {
            1 => Self::Tenant,
            2 => Self::Application,
            3 => Self::User,
            4 => Self::Group,
            5 => Self::Device,
            6 => Self::Site,
            7 => Self::Unit(workload),
            8 => Self::Point(workload),
            9 => Self::Policy(workload),
            10 => Self::Session,
            11 => Self::Artifact,
            12 => Self::Search,
            13 => Self::ServiceApp,
            14 => Self::Page,
            15 => Self::Folder,
            16 => Self::Request,
            17 => Self::Drive,
            18 => Self::BulkRequest,
            19 => Self::Library(workload),
            20 => Self::Item(workload),
            21 => Self::Browse,
            22 => Self::Activity,
            23 => Self::Rule(workload),
            24 => Self::Job(workload),
            25 => Self::Exclusion(workload),
            26 => Self::ExclusionJob(workload),
            _ => return None,
        };
        (kind.code() == code).then_some(kind)
    }
}

/// What an id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) kind: Kind,
    /// Position of the person, unit, session ... it names.
    pub(super) index: u32,
    /// A second number of at most 40 bits: the grid slot of a point, the serial of an artifact.
    pub(super) slot: u64,
}

/// Makes and reads the ids of one tenant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids {
    key: u64,
}

impl Ids {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            key: mix(seed, 0x1d),
        }
    }

    pub(super) fn make(self, kind: Kind, index: u32, slot: u64) -> Uuid {
        let mut left = kind.code() << 53 | u64::from(index) << CHECK_BITS;
        let mut right = (slot << CHECK_BITS) & HALF_MASK;
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ (mix(self.key ^ round, right) & HALF_MASK));
        }
        let payload = u128::from(left) << HALF_BITS | u128::from(right);
        let (high, middle, low) = (
            payload >> 74,
            payload >> 62 & 0xfff,
            payload & ((1 << 62) - 1),
        );
        Uuid::from_u128(high << 80 | 4 << 76 | middle << 64 | 2 << 62 | low)
    }

    /// What `id` names, or nothing where this tenant cannot have made it.
    pub(super) fn read(self, id: Uuid) -> Option<Name> {
        let bits = id.as_u128();
        if bits >> 76 & 0xf != 4 || bits >> 62 & 3 != 2 {
            return None;
        }
        let payload = bits >> 80 << 74 | (bits >> 64 & 0xfff) << 62 | bits & ((1 << 62) - 1);
        let mut left = u64::try_from(payload >> HALF_BITS).ok()?;
        let mut right = u64::try_from(payload & u128::from(HALF_MASK)).ok()?;
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ (mix(self.key ^ round, left) & HALF_MASK), left);
        }
        if left & CHECK_MASK != 0 || right & CHECK_MASK != 0 {
            return None;
        }
        Some(Name {
            kind: Kind::from_code(left >> 53)?,
            index: u32::try_from(left >> CHECK_BITS & u64::from(u32::MAX)).ok()?,
            slot: right >> CHECK_BITS,
        })
    }
}

/// Reads the one form of a UUID that the service takes in a path: 36 characters with hyphens.
pub(super) fn parse(text: &str) -> Option<Uuid> {
    (text.len() == 36)
        .then(|| Uuid::try_parse(text).ok())
        .flatten()
}

/// Mixes two numbers into one that looks random (the finaliser of splitmix64). Everything seeded comes from here.
pub(super) fn mix(key: u64, value: u64) -> u64 {
    let mut x = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x = (x ^ x >> 31).wrapping_add(key.rotate_left(17));
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ x >> 31
}

/// A keyed permutation of `0..domain`, so that neighbours do not look alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shuffle {
    key: u64,
    domain: u64,
    half_bits: u32,
}

impl Shuffle {
    pub(super) fn new(key: u64, domain: u64) -> Self {
        let bits = u64::BITS - domain.max(2).saturating_sub(1).leading_zeros();
        Self {
            key,
            domain,
            half_bits: bits.div_ceil(2),
        }
    }

    pub(super) fn contains(self, value: u64) -> bool {
        value < self.domain
    }

    pub(super) fn forward(self, value: u64) -> u64 {
        self.walk(value, Self::scramble)
    }

    pub(super) fn back(self, value: u64) -> u64 {
        self.walk(value, Self::unscramble)
    }

    // The network permutes a power of four; walking the cycle until it is back inside makes it a permutation of the domain.
    fn walk(self, value: u64, step: fn(Self, u64) -> u64) -> u64 {
        let mut value = step(self, value);
        while value >= self.domain {
            value = step(self, value);
        }
        value
    }

    fn scramble(self, value: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ (mix(self.key ^ round, right) & mask));
        }
        left << self.half_bits | right
    }

    fn unscramble(self, value: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ (mix(self.key ^ round, left) & mask), left);
        }
        left << self.half_bits | right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_what_it_names() {
        let ids = Ids::new(1);
        for (index, slot) in [(0, 0), (99_999, 2_990_000), (u32::MAX, (1 << 40) - 1)] {
            for kind in [Kind::User, Kind::Unit(2), Kind::Point(1), Kind::Artifact] {
                assert_eq!(
                    ids.read(ids.make(kind, index, slot)),
                    Some(Name { kind, index, slot })
                );
            }
        }
    }

    #[test]
    fn an_id_of_another_seed_is_unknown() {
        let id = Ids::new(2).make(Kind::User, 7, 0);
        assert_eq!(Ids::new(1).read(id), None);
        assert_eq!(id.get_version_num(), 4);
    }

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let id = Ids::new(1).make(Kind::User, 7, 0);
        assert_eq!(parse(&id.hyphenated().to_string()), Some(id));
        assert_eq!(parse(&id.simple().to_string()), None);
        assert_eq!(parse("not-an-id"), None);
    }

    #[test]
    fn a_shuffle_is_a_permutation() {
        for domain in [1, 2, 100, 10_000] {
            let shuffle = Shuffle::new(7, domain);
            let mut seen: Vec<u64> = (0..domain).map(|value| shuffle.forward(value)).collect();
            assert!((0..domain).all(|value| shuffle.back(shuffle.forward(value)) == value));
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..domain));
        }
    }
}
