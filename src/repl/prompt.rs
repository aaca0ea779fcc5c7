//! What stands before the line: which tenant, and whether it can be changed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::changes::{Arming, Mode};
use crate::graph::Claims;
use crate::text::{self, Paint};
use crate::world::World;

/// How much is known of the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// By a person.
    Given(String),
    /// By its id; the whole id.
    ById(String),
    /// Only where it is reached: a token says more.
    ByAddress(String),
}

impl Named {
    /// As `--tenant` names it: `contoso` of `contoso.onmicrosoft.com`, or an id.
    pub(crate) fn of_tenant(tenant: &str) -> Self {
        if tenant.len() == 36 && tenant.matches('-').count() == 4 {
            return Self::ById(tenant.to_owned());
        }
        Self::Given(tenant.split('.').next().unwrap_or(tenant).to_owned())
    }

    fn shown(&self) -> &str {
        match self {
            Self::Given(name) | Self::ByAddress(name) => name,
            Self::ById(id) => id.split('-').next().unwrap_or(id),
        }
    }

    fn meet(&mut self, claims: &Claims) -> Option<String> {
        let id = claims.tenant.clone()?;
        match self {
            Self::Given(_) => None,
            Self::ById(own) if own.eq_ignore_ascii_case(&id) => None,
            Self::ById(_) => {
                *self = Self::ById(id.clone());
                Some(id)
            }
            Self::ByAddress(_) => {
                // Whose user signed in is told by the name; an application has none.
                let domain = claims.user.as_ref().and_then(|user| user.split_once('@'));
                *self = domain.map_or(Self::ById(id), |(_, domain)| Self::of_tenant(domain));
                None
            }
        }
    }
}

/// Drawn anew with every key, so that the time that is left is the time that is left.
#[derive(Clone)]
pub(super) struct Prompt {
    tenant: Arc<Mutex<Named>>,
    arming: Arming,
    world: World,
    paint: Paint,
}

impl Prompt {
    pub(super) fn new(tenant: Named, arming: Arming, world: World, paint: Paint) -> Self {
        Self {
            tenant: Arc::new(Mutex::new(tenant)),
            arming,
            world,
            paint,
        }
    }

    pub(super) fn tenant(&self) -> String {
        let tenant = self.tenant.lock();
        let tenant = tenant.unwrap_or_else(PoisonError::into_inner);
        text::fit(&text::one_line(tenant.shown()), 30).into_owned()
    }

    /// Takes the name from a token where that is better. Gives the token's tenant where it is another than was asked for.
    pub(super) fn meet(&self, claims: &Claims) -> Option<String> {
        let mut tenant = self.tenant.lock().unwrap_or_else(PoisonError::into_inner);
        tenant.meet(claims)
    }

    /// As plain text.
    pub(super) fn plain(&self) -> String {
        self.drawn(Paint::Plain)
    }

    /// In colours, and as wide as it was when the line began.
    pub(super) fn coloured(&self, plain: &str) -> String {
        let shown = self.drawn(self.paint);
        let now = text::width(&self.plain());
        let pad = text::width(plain).saturating_sub(now);
        if now > text::width(plain) {
            return plain.to_owned();
        }
        format!("{shown}{}", " ".repeat(pad))
    }

    fn drawn(&self, paint: Paint) -> String {
        let tenant = self.tenant();
        match self.arming.mode(self.world.clock.now()) {
            Mode::Free => format!("{tenant}> "),
            Mode::ReadOnly => format!("{tenant} {}> ", paint.green("[read-only]")),
            Mode::Armed(left) => {
                let armed = format!("[ARMED {}]", clock(left));
                format!("{tenant} {}> ", paint.red(&armed))
            }
        }
    }
}

/// `9:41`, `1:09:41`: a time that runs out.
fn clock(left: Duration) -> String {
    // A moment before the end there is still a second: `0:00` is over.
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_runs_out_reads_like_a_clock() {
        for (millis, shown) in [
            (581_000, "9:41"),
            (580_100, "9:41"),
            (59_000, "0:59"),
            (1, "0:01"),
            (4_181_000, "1:09:41"),
        ] {
            assert_eq!(clock(Duration::from_millis(millis)), shown);
        }
    }

    #[test]
    fn a_token_says_whose_tenant_it_is_where_nobody_else_did() {
        let id = "8f6b2c1e-0000-4000-8000-000000000001";
        let claims = |user: Option<&str>| Claims {
            tenant: Some(id.to_owned()),
            user: user.map(str::to_owned),
            ..Claims::default()
        };
        let address = || Named::ByAddress("tenant".to_owned());
        for (mut named, claims, shown, other) in [
            (address(), claims(None), "8f6b2c1e", None),
            (
                address(),
                claims(Some("eve@contoso.onmicrosoft.com")),
                "contoso",
                None,
            ),
            (address(), Claims::default(), "tenant", None),
            (
                Named::of_tenant("fabrikam.example"),
                claims(None),
                "fabrikam",
                None,
            ),
            (
                Named::of_tenant(&id.to_uppercase()),
                claims(None),
                "8F6B2C1E",
                None,
            ),
            (
                Named::of_tenant("11111111-0000-4000-8000-000000000001"),
                claims(None),
                "8f6b2c1e",
                Some(id),
            ),
        ] {
            assert_eq!(named.meet(&claims).as_deref(), other);
            assert_eq!(named.shown(), shown);
            // Once told is enough.
            assert_eq!(named.meet(&claims), None);
        }
    }

    #[test]
    fn a_prompt_says_where_and_how() {
        let prompt = |arming: &Arming| {
            let tenant = Named::of_tenant("contoso.onmicrosoft.com");
            let prompt = Prompt::new(tenant, arming.clone(), World::real(), Paint::Coloured);
            (prompt.plain(), prompt.coloured(&prompt.plain()))
        };
        assert_eq!(prompt(&Arming::always()).0, "contoso> ");
        let arming = Arming::read_only();
        assert_eq!(prompt(&arming).0, "contoso [read-only]> ");
        let until = World::real().clock.now() + Duration::from_mins(10);
        arming.arm(until);
        let (plain, coloured) = prompt(&arming);
        assert!(plain.starts_with("contoso [ARMED "), "{plain}");
        assert!(coloured.contains("\u{1b}[1;31m[ARMED "), "{coloured}");
    }
}
