//! `users::`: people of the directory.

use rhai::{ImmutableString, Map, NativeCallContext};

use super::tenant::{plain, stream};
use crate::directory::ListOptions;
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::options::OptionMap;
use crate::script::values::{Kind, Object, Stream};

pub(crate) fn register(library: &mut Library) {
    library.function(
        "users",
        "list",
        &["-> stream of user"],
        "All users, page by page.\n\n- Options: `filter`, `search`, `select` as Graph has them, `top` (page size, 1 to 999).\n- Throws what Graph says of a `filter` or `search`; `BadOption`.\n- Policy class: read. Graph: GET users. Permission: User.ReadBasic.All.\n\n```rhai\nfor user in users::list(#{filter: \"accountEnabled eq true\"}) { print(user.userPrincipalName); }\n```",
        |ctx: NativeCallContext| list(&ctx, OptionMap::none()),
    );
    library.function(
        "users",
        "list",
        &["options: map", "-> stream of user"],
        "",
        |ctx: NativeCallContext, options: Map| {
            let options =
                OptionMap::read(options, &["filter", "search", "select", "top"]).raise(&ctx)?;
            list(&ctx, options)
        },
    );
    library.function(
        "users",
        "get",
        &["id_or_upn: text", "-> user"],
        "One user, by id, user principal name, or mail address.\n\n- Throws Graph's `Request_ResourceNotFound` where there is none, `Ambiguous` where several have the address.\n- Policy class: read. Graph: GET users/{id}. Permission: User.ReadBasic.All.\n\n```rhai\nlet rania = users::get(\"rania.shah@contoso.example\");\nprint(rania.displayName);\n```",
        |ctx: NativeCallContext, name: ImmutableString| -> Raised<Object> {
            let host = Host::of(&ctx);
            let found = host.block(host.tenant.directory.user(name.trim())).raise(&ctx)?;
            Ok(Object::new(Kind::of("user"), found))
        },
    );
}

fn list(ctx: &NativeCallContext, options: OptionMap) -> Raised<Stream> {
    let options = read(&options).raise(ctx)?;
    let host = Host::of(ctx);
    let open = move |host: &Host| Ok(vec![host.tenant.directory.users(&options)]);
    Ok(stream(&host, "users", open, plain(Kind::of("user"))).at(ctx.call_position()))
}

fn read(options: &OptionMap) -> Result<ListOptions, Failure> {
    let top = options.int("top")?;
    if top.is_some_and(|top| !(1..=999).contains(&top)) {
        return Err(Failure::new("BadOption", "option `top` must be 1 to 999"));
    }
    Ok(ListOptions {
        filter: options.text("filter")?,
        // Graph wants the clause in quotes; who wrote them keeps them.
        search: options.text("search")?.map(|text| {
            if text.starts_with('"') {
                text
            } else {
                format!("\"{text}\"")
            }
        }),
        select: select(options)?,
        top,
    })
}

/// `select` as text or as an array of names; `id` always comes with it.
pub(super) fn select(options: &OptionMap) -> Result<Option<String>, Failure> {
    Ok(options.texts("select")?.map(|names| {
        let names = names.join(",");
        let has_id = names.split(',').any(|name| name.trim() == "id");
        if has_id { names } else { format!("id,{names}") }
    }))
}
