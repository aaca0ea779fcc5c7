//! What a policy is told of a change: where to, how much, and whose data it touches.
//!
//! A script says whose a restore point is; a policy that names groups believes the service alone. What a draft holds is
//! listed with its units before it is activated, and the inputs of bulk requests are looked up in the directory, whatever
//! the script has made of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::artifact::Destination;
use super::books::ItemId;
use super::bulk::plain;
use super::part::{Content, Part, Placed, Thing};
use super::recall::activation;
use super::workload::{Owner, Workload};
use super::{BackupError, Service, unit_of};
use crate::changes::ChangeError;
use crate::directory::{DirectoryError, MemberOptions, is_user};
use crate::graph::Json;
use crate::policy::{Act, Deed, Denial, Items, Matter, Rule, Rules};

/// Of the files and messages that v1.0 brings back nobody chooses the place: it is never where they were.
fn destination(of: Option<Destination>) -> &'static str {
    of.map_or(Destination::New.name(), Destination::name)
}

impl Service {
    fn rules(&self) -> Option<&Rules> {
        self.door.guard().rules()
    }

    fn names_groups(&self) -> bool {
        self.rules().is_some_and(|rules| rules.groups().is_some())
    }

    /// Putting these into drafts. Whose they are is what the script says; the service is asked before they are activated.
    pub(super) async fn deed_of_draft(
        &self,
        workload: &'static Workload,
        placed: &[Placed],
    ) -> Result<Deed, BackupError> {
        if self.rules().is_none() || placed.is_empty() {
            return Ok(Deed::nothing(workload.name));
        }
        let mut outsiders = Vec::new();
        if self.names_groups() {
            let members = self.members().await?;
            for placed in placed {
                let owner = self.claimed_owner(workload, placed.item).await?;
                if !is_let(workload, &members, owner.as_deref()) {
                    outsiders.push(self.books.name(placed.item));
                }
            }
        }
        let destinations = placed.iter().map(|placed| destination(placed.destination));
        let items = Items {
            destinations: destinations.collect(),
            in_run: self.books.counted(placed.iter().map(|placed| placed.item)),
            outsiders,
            ..Items::default()
        };
        Ok(Deed::items(workload.name, items))
    }

    /// Putting these inputs into a bulk request.
    pub(super) async fn deed_of_bulk(
        &self,
        workload: &'static Workload,
        order: &super::BulkOrder,
    ) -> Result<Deed, BackupError> {
        if self.rules().is_none() {
            return Ok(Deed::nothing(workload.name));
        }
        let inputs = order.inputs.iter();
        let items = Items {
            destinations: [order.destination.name()].into(),
            in_session: order.inputs.len() as u64,
            in_run: self.books.counted(inputs.clone().map(|input| input.item)),
            in_day: 0,
            outsiders: self
                .outsiders_of_inputs(workload, inputs.map(|input| &*input.text).collect())
                .await?,
        };
        Ok(Deed::items(workload.name, items))
    }

    /// Looking into a restore point.
    pub(super) async fn deed_of_browse(
        &self,
        workload: &'static Workload,
        point: &Json,
    ) -> Result<Deed, BackupError> {
        if !self.names_groups() {
            return Ok(Deed::nothing(workload.name));
        }
        let unit = unit_of(point);
        let owner = match &unit {
            Some(unit) => self.owner_of_unit(workload, unit).await?,
            None => None,
        };
        let name = unit.map(|unit| self.name_of_unit(&unit));
        let name = name.or_else(|| point.string("id")).unwrap_or_default();
        self.deed_of_one(workload, owner.as_deref(), name).await
    }

    /// Looking into what a browse session shows: the service says whose it is.
    pub(super) async fn judge_browse(
        &self,
        workload: &'static Workload,
        browse: &Json,
    ) -> Result<(), BackupError> {
        if !self.names_groups() {
            return Ok(());
        }
        let name = format!(
            "the owner of browse session {}",
            browse.string("id").unwrap_or_default()
        );
        let owner = browse.string(workload.owner);
        let deed = self.deed_of_one(workload, owner.as_deref(), name).await?;
        self.judge(Act::Look, &deed)
    }

    /// Looking for messages in the mailbox of a unit.
    pub(super) async fn judge_search(
        &self,
        workload: &'static Workload,
        unit: &str,
    ) -> Result<(), BackupError> {
        if !self.names_groups() {
            return Ok(());
        }
        let owner = self.owner_of_unit(workload, unit).await?;
        let name = self.name_of_unit(unit);
        let deed = self.deed_of_one(workload, owner.as_deref(), name).await?;
        self.judge(Act::Look, &deed)
    }

    async fn deed_of_one(
        &self,
        workload: &'static Workload,
        owner: Option<&str>,
        name: String,
    ) -> Result<Deed, BackupError> {
        let is_member = is_let(workload, &*self.members().await?, owner);
        let items = Items {
            outsiders: (!is_member).then_some(name).into_iter().collect(),
            ..Items::default()
        };
        Ok(Deed::items(workload.name, items))
    }

    /// Adds what activating this part does; `None` where nobody can tell.
    pub(super) async fn weigh(
        &self,
        part: &Arc<Part>,
        content: &Content,
        items: &mut Items,
    ) -> Result<Option<Matter>, BackupError> {
        if self.rules().is_none() {
            return Ok(None);
        }
        if content.is_of_others() {
            let name = content.bulk.as_ref().map(|bulk| bulk.name.clone());
            return Ok(Some(Matter::Untold(format!(
                "only its maker knows whom bulk request `{}` names",
                name.unwrap_or_default()
            ))));
        }
        let placed = content.placed.iter().map(|placed| placed.destination);
        items.destinations.extend(placed.map(destination));
        let of_bulk = content.bulk.as_ref().map(|bulk| bulk.destination);
        items.destinations.extend(of_bulk.map(destination));
        items.in_session = items.in_session.max(content.len() as u64);
        items.in_run = self.books.counted(content.items());
        items.in_day += content.len() as u64;
        if self.names_groups() {
            let outsiders = self.outsiders_in(part, content).await?;
            items.outsiders.extend(outsiders);
        }
        Ok(None)
    }

    /// What all runs have activated in the last 24 hours, without these parts.
    pub(super) async fn activated_today(&self, parts: &[Arc<Part>]) -> Result<u64, BackupError> {
        if self.rules().and_then(Rules::max_items_per_day).is_none() {
            return Ok(0);
        }
        let own: HashSet<String> = parts.iter().map(|part| activation(&part.id)).collect();
        Ok(self.door.activated_today(&own).await?)
    }

    pub(super) fn judge(&self, act: Act, deed: &Deed) -> Result<(), BackupError> {
        self.door
            .judge(act, deed)
            .map_err(|fault| ChangeError::Stopped(Box::new(fault)).into())
    }

    /// Those of a part whom the policy's groups do not hold, by name: as the service and the directory say.
    async fn outsiders_in(
        &self,
        part: &Arc<Part>,
        content: &Content,
    ) -> Result<Vec<String>, BackupError> {
        let workload = part.workload;
        let members = self.members().await?;
        let mut outsiders = Vec::new();
        let units = if part.granular || content.placed.is_empty() {
            HashMap::new()
        } else {
            self.units_in(part).await?
        };
        for placed in &content.placed {
            let owner = match &placed.thing {
                Thing::Point(point) => match units.get(point) {
                    Some(unit) => self.owner_of_unit(workload, unit).await?,
                    // A session that is only planned is known to nobody but us.
                    None if self.client.stand_in().is_some() => {
                        self.claimed_owner(workload, placed.item).await?
                    }
                    None => None,
                },
                Thing::Piece { browse, .. } => {
                    let json = self.browse_by_id(browse).map(|browse| browse.json());
                    json.and_then(|json| json.string(workload.owner))
                }
                // What a search has found is the host's own object, and names the mailbox that was searched.
                Thing::Hits { .. } => self.claimed_owner(workload, placed.item).await?,
            };
            if !is_let(workload, &members, owner.as_deref()) {
                outsiders.push(self.books.name(placed.item));
            }
        }
        if let Some(bulk) = &content.bulk {
            let texts = bulk.inputs.iter().map(|input| &*input.text).collect();
            outsiders.extend(self.outsiders_of_inputs(workload, texts).await?);
        }
        Ok(outsiders)
    }

    async fn outsiders_of_inputs(
        &self,
        workload: &'static Workload,
        texts: Vec<&str>,
    ) -> Result<Vec<String>, BackupError> {
        if !self.names_groups() {
            return Ok(Vec::new());
        }
        let members = self.members().await?;
        let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
        let owners = match workload.owned_by {
            Owner::Person => self.owners_of(workload.owned_by, &texts).await?,
            // No member of any group: they need not be looked up.
            Owner::Site => HashMap::new(),
        };
        let is_outside = |text: &String| {
            let owner = owners.get(&plain(text)).map(String::as_str);
            !is_let(workload, &members, owner)
        };
        Ok(texts.into_iter().filter(is_outside).collect())
    }

    /// The units of the points in a draft, by the point, as the service tells them.
    async fn units_in(&self, part: &Part) -> Result<HashMap<String, String>, BackupError> {
        let listed = self.artifacts_with_units(part).await?;
        let told = listed.into_iter().filter_map(|artifact| {
            let unit = unit_of(&artifact.json.property("restorePoint")?)?;
            Some((artifact.point?, unit))
        });
        Ok(told.collect())
    }

    /// Whose an item is, as the script says.
    async fn claimed_owner(
        &self,
        workload: &'static Workload,
        item: ItemId,
    ) -> Result<Option<String>, BackupError> {
        match self.books.unit(item) {
            Some(unit) => self.owner_of_unit(workload, &unit).await,
            None => Ok(None),
        }
    }

    async fn owner_of_unit(
        &self,
        workload: &'static Workload,
        unit: &str,
    ) -> Result<Option<String>, BackupError> {
        let index = self.unit_index(workload).await?;
        Ok(index
            .by_id(unit)
            .and_then(|unit| unit.string(workload.owner)))
    }

    /// The users in the policy's groups and in groups in these, by their ids in lower case; read once for each activation.
    async fn members(&self) -> Result<Arc<HashSet<String>>, BackupError> {
        let mut known = self.members.lock().await;
        if let Some(members) = &*known {
            return Ok(members.clone());
        }
        let members = Arc::new(self.read_members().await?);
        *known = Some(members.clone());
        Ok(members)
    }

    /// Whoever has left a group since it was read is not restored.
    pub(super) async fn forget_members(&self) {
        *self.members.lock().await = None;
    }

    async fn read_members(&self) -> Result<HashSet<String>, BackupError> {
        let groups = self.rules().and_then(Rules::groups).unwrap_or_default();
        let mut members = HashSet::new();
        for name in groups {
            let group = match self.directory.group(name).await {
                Ok(group) => group.string("id").unwrap_or_default(),
                Err(
                    error @ (DirectoryError::NoGroup { .. } | DirectoryError::SeveralGroups { .. }),
                ) => {
                    return Err(self.denied(&Denial::new(
                        Rule::Groups,
                        format!("whose members may be touched cannot be told: {error}"),
                        "correct the name in `groups`, or write the group's id",
                    )));
                }
                Err(error) => return Err(error.into()),
            };
            let options = MemberOptions { transitive: true };
            let mut pages = self.directory.members(&group, options);
            while let Some(page) = pages.next().await {
                let users = page?.into_iter().filter(is_user);
                let ids = users.filter_map(|user| user.string("id"));
                members.extend(ids.map(|id| id.to_ascii_lowercase()));
            }
        }
        Ok(members)
    }

    fn denied(&self, denial: &Denial) -> BackupError {
        match self.door.guard().fault(denial) {
            Some(fault) => {
                self.stop.set(fault.clone());
                ChangeError::Stopped(Box::new(fault)).into()
            }
            None => BackupError::NoInputs,
        }
    }
}

/// A site is nobody's: no group of people holds it.
fn is_let(workload: &Workload, members: &HashSet<String>, owner: Option<&str>) -> bool {
    workload.owned_by == Owner::Person
        && owner.is_some_and(|owner| members.contains(&owner.to_ascii_lowercase()))
}
