//! The help of the three namespaces is one text; what differs stands in braces.

use crate::backup::{Owner, Workload};

/// `{w}::units()` and the like with the words of one workload. Kept for the life of the process, as the library is.
pub(super) fn doc(workload: &'static Workload, text: &str) -> &'static str {
    words(workload, text).leak()
}

/// The same for a parameter: `item: {item}`.
pub(super) fn words(workload: &'static Workload, text: &str) -> String {
    let [
        item,
        items,
        someone,
        many,
        list,
        permission,
        owner,
        coverage,
    ] = match workload.owned_by {
        Owner::Person => [
            "user, address or id",
            "users, addresses, ids",
            "\"adele@contoso.com\"",
            "groups::members(\"Finance\")",
            "GET users",
            "User.ReadBasic.All",
            "user",
            "- Options: `filter` and `top` as `users::list` has them, `version`.",
        ],
        Owner::Site => [
            "site, URL or id",
            "sites, URLs, ids",
            "\"https://contoso.sharepoint.com/sites/finance\"",
            "sites::search(\"Finance\")",
            "GET sites/getAllSites",
            "Sites.Read.All",
            "site",
            "- Options: `version`.",
        ],
    };
    let (browse, _) = workload.browse.unwrap_or_default();
    let mut text = text.to_owned();
    for (mark, word) in [
        ("{w}", workload.name),
        ("{noun}", workload.noun),
        ("{nouns}", workload.nouns),
        ("{sessions}", workload.sessions),
        ("{artifacts}", workload.artifacts),
        ("{granular}", workload.granular),
        ("{bulk}", workload.bulk),
        ("{inputs}", workload.inputs),
        ("{browse}", browse),
        ("{units}", workload.units),
        ("{item}", item),
        ("{items}", items),
        ("{someone}", someone),
        ("{many}", many),
        ("{owner}", owner),
        ("{coverage options}", coverage),
        ("{list}", list),
        ("{list permission}", permission),
    ] {
        text = text.replace(mark, word);
    }
    text
}
