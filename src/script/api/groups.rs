//! `groups::`: groups of the directory and who is in them.

use rhai::{Dynamic, ImmutableString, Map, NativeCallContext};

use super::tenant::{plain, stream};
use crate::directory::{MemberOptions, is_user};
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::options::OptionMap;
use crate::script::values::{Kind, Object, Stream};
use crate::script::words;

pub(crate) fn register(library: &mut Library) {
    library.function(
        "groups",
        "list",
        &["-> stream of group"],
        "All groups, page by page.\n\n- Options: `filter`, `select` as Graph has them.\n- Throws what Graph says of a `filter`.\n- Policy class: read. Graph: GET groups. Permission: GroupMember.Read.All.\n\n```rhai\nfor group in groups::list() { print(group.displayName); }\n```",
        |ctx: NativeCallContext| list(&ctx, None, None),
    );
    library.function(
        "groups",
        "list",
        &["options: map", "-> stream of group"],
        "",
        |ctx: NativeCallContext, options: Map| {
            let options = OptionMap::read(options, &["filter", "select"]).raise(&ctx)?;
            let filter = options.text("filter").raise(&ctx)?;
            let select = super::users::select(&options).raise(&ctx)?;
            Raised::Ok(list(&ctx, filter, select))
        },
    );
    library.function(
        "groups",
        "get",
        &["name_or_id: text", "-> group"],
        "One group, by its exact display name or its id.\n\n- Throws `GroupNotFound`; `Ambiguous` where several groups have the name, with their ids.\n- Policy class: read. Graph: GET groups, GET groups/{id}. Permission: GroupMember.Read.All.\n\n```rhai\nlet finance = groups::get(\"Finance\");\nprint(finance.id);\n```",
        |ctx: NativeCallContext, name: ImmutableString| -> Raised<Object> {
            let host = Host::of(&ctx);
            let found = host.block(host.tenant.directory.group(name.trim())).raise(&ctx)?;
            Ok(Object::new(Kind::of("group"), found))
        },
    );
    library.function(
        "groups",
        "members",
        &["group: group, name or id", "-> stream of user"],
        "The members of a group: users only, unless told.\n\n- Options: `transitive: true` (members of nested groups too), `kinds: \"all\"` (devices, groups, contacts too).\n- Throws as `groups::get`.\n- Policy class: read. Graph: GET groups/{id}/members, GET groups/{id}/transitiveMembers. Permission: GroupMember.Read.All.\n\n```rhai\nlet people = groups::members(\"Finance\", #{transitive: true});\nprint(people.count());\n```",
        |ctx: NativeCallContext, group: Dynamic| members(&ctx, &group, OptionMap::none()),
    );
    library.function(
        "groups",
        "members",
        &[
            "group: group, name or id",
            "options: map",
            "-> stream of user",
        ],
        "",
        |ctx: NativeCallContext, group: Dynamic, options: Map| {
            let options = OptionMap::read(options, &["transitive", "kinds"]).raise(&ctx)?;
            members(&ctx, &group, options)
        },
    );
}

fn list(ctx: &NativeCallContext, filter: Option<String>, select: Option<String>) -> Stream {
    let open = move |host: &Host| {
        Ok(vec![
            host.tenant
                .directory
                .groups(filter.as_deref(), select.as_deref()),
        ])
    };
    stream(&Host::of(ctx), "groups", open, plain(Kind::of("group"))).at(ctx.call_position())
}

/// The group is looked up now, so that a wrong name is an error on this line; its members are read when somebody does.
fn members(ctx: &NativeCallContext, group: &Dynamic, options: OptionMap) -> Raised<Stream> {
    let host = Host::of(ctx);
    let id = id_of(&host, group).raise(ctx)?;
    let transitive = options.flag("transitive").raise(ctx)?.unwrap_or(false);
    let all_kinds = options
        .choice("kinds", &["all", "users"])
        .raise(ctx)?
        .is_some_and(|kinds| kinds == "all");
    let options = MemberOptions { transitive };
    let open = move |host: &Host| Ok(vec![host.tenant.directory.members(&id, options)]);
    let object = move |_: &Host, json| {
        if all_kinds {
            return Some(Dynamic::from(Object::new(
                Kind::of("directoryObject"),
                json,
            )));
        }
        is_user(&json).then(|| Dynamic::from(Object::exact(Kind::of("user"), json)))
    };
    Ok(stream(&host, "members", open, object).at(ctx.call_position()))
}

fn id_of(host: &Host, group: &Dynamic) -> Result<String, Failure> {
    if let Some(object) = group.read_lock::<Object>() {
        let is_group =
            matches!(object.kind().root(), "directoryObject") || object.kind().is_untyped();
        return object.id().filter(|_| is_group).ok_or_else(|| {
            let given = words::article(object.kind().words());
            Failure::new(
                "WrongType",
                format!("a group is needed here; this is {given}"),
            )
        });
    }
    let Ok(name) = group.as_immutable_string_ref() else {
        let given = words::article(words::kind(group));
        return Err(Failure::new(
            "WrongType",
            format!("a group is needed here, its name or its id; this is {given}"),
        ));
    };
    let found = host.block(host.tenant.directory.group(name.trim()))?;
    found.string("id").ok_or_else(|| {
        Failure::new(
            "UnusableAnswer",
            format!("group `{}` has no id", name.as_str()),
        )
    })
}
