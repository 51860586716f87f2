//! The public items of Rust sources as others see them: fields, types, signatures, bounds and variants, no bodies.
//!
//! It reads files as they stand: it expands no macros, and an item is public when it says `pub` itself.

use super::{Item, Items, config::Surface, unreadable, unselected};
use crate::rust_source::{Kind, Token, tokens};
use portcullis::{
    Fault, Findings, GateContext, GateError, Location, RelPath, wire::code::INPUT_TOO_LARGE,
};
use quote::ToTokens;
use std::collections::BTreeSet;
use syn::{
    Attribute, Fields, Generics, ImplItem, ItemImpl, ItemTrait, Signature, TraitItem, Visibility,
    spanned::Spanned,
};

/// How deep groups, generic arguments and operators may nest; the parser recurses (threat T12).
const NESTING_MAX: usize = 128;
/// Attributes that change what others can do with an item.
const TELLING: &[&str] = &["cfg", "macro_export", "non_exhaustive", "repr"];

/// One item per public item, field, variant, method and implementation.
pub(super) fn read(
    cx: &GateContext<'_>,
    surface: &Surface,
    out: &mut Findings,
) -> Result<Items, GateError> {
    let mut items = Items::new();
    for path in surface.sources() {
        let text = cx.file(path).text()?;
        items.extend(cx.watch(of_file(path, &text))?);
    }
    let name_of = |name: &str| name.split_once('#').map_or(name, |(_, name)| name).to_owned();
    for selector in &surface.select {
        if !items.keys().any(|name| is_selected(&name_of(name), selector)) {
            out.push(unselected(surface, selector, Location::file(surface.first_source())));
        }
    }
    if !surface.select.is_empty() {
        items.retain(|name, _| {
            let name = name_of(name);
            surface.select.iter().any(|selector| is_selected(&name, selector))
        });
    }
    Ok(items)
}

/// Whether a name is the selected one, a part of it, or an implementation for it.
fn is_selected(name: &str, selector: &str) -> bool {
    let own = name.strip_prefix(selector);
    own.is_some_and(|rest| rest.is_empty() || rest.starts_with("::") || rest.starts_with('.'))
        || name.split_once(" for ").is_some_and(|(_, target)| {
            target.split([' ', '<']).next().is_some_and(|head| head == selector)
        })
}

fn of_file(path: &RelPath, text: &str) -> Result<Items, Fault> {
    within_limits(path, &tokens(path, text)?)?;
    let parsed = syn::parse_file(text).map_err(|source| {
        let start = source.span().start();
        let line = u32::try_from(start.line).unwrap_or(0);
        unreadable(path, format!("`{path}` is not Rust source"))
            .at(Location::at(path, line, 0))
            .because(&source)
    });
    let items = parsed.map(|file| {
        let mut reader = Reader { path, items: Items::new(), private: BTreeSet::new() };
        reader.privates(&file.items);
        reader.all(&file.items, "");
        reader.items
    });
    // The spans of a file are kept for the life of the thread otherwise, and with them its text.
    proc_macro2::extra::invalidate_current_thread_spans();
    items
}

fn within_limits(path: &RelPath, tokens: &[Token]) -> Result<(), Fault> {
    let (mut groups, mut angles, mut operators, mut deepest) = (0usize, 0usize, 0usize, 0usize);
    for token in tokens {
        operators = if token.kind == Kind::Punct { operators + 1 } else { 0 };
        match token.kind {
            Kind::Open => (groups, angles) = (groups + 1, 0),
            Kind::Close => (groups, angles) = (groups.saturating_sub(1), 0),
            Kind::Punct if token.is("<") => angles += 1,
            Kind::Punct if token.is(">") => angles = angles.saturating_sub(1),
            Kind::Punct if token.is(";") || token.is(",") => angles = 0,
            Kind::Ident | Kind::Punct | Kind::Literal => {}
        }
        deepest = deepest.max(groups).max(angles).max(operators);
    }
    if deepest <= NESTING_MAX {
        return Ok(());
    }
    let headline = format!("`{path}` nests deeper than {NESTING_MAX}");
    Err(Fault::new(INPUT_TOO_LARGE, headline, "freeze another file").at(Location::file(path)))
}

struct Reader<'p> {
    path: &'p RelPath,
    items: Items,
    /// Types that the file declares and keeps to itself.
    private: BTreeSet<String>,
}

impl Reader<'_> {
    fn privates(&mut self, items: &[syn::Item]) {
        for item in items {
            if let syn::Item::Mod(item) = item {
                self.privates(item.content.as_ref().map_or(&[][..], |(_, items)| items));
            }
            let declared = if let syn::Item::Struct(item) = item {
                Some((&item.ident, &item.vis))
            } else if let syn::Item::Enum(item) = item {
                Some((&item.ident, &item.vis))
            } else if let syn::Item::Union(item) = item {
                Some((&item.ident, &item.vis))
            } else if let syn::Item::Trait(item) = item {
                Some((&item.ident, &item.vis))
            } else if let syn::Item::Type(item) = item {
                Some((&item.ident, &item.vis))
            } else {
                None
            };
            if let Some((name, _)) = declared.filter(|(_, vis)| !is_public(vis)) {
                self.private.insert(name.to_string());
            }
        }
    }

    fn all(&mut self, items: &[syn::Item], module: &str) {
        for item in items {
            self.one(item, module);
        }
    }

    fn one(&mut self, item: &syn::Item, module: &str) {
        self.value(item, module);
        self.reexport(item, module);
        self.declared(item, module);
        if let syn::Item::Impl(item) = item
            && !is_test(&item.attrs)
        {
            self.of_impl(module, item);
        }
        if let syn::Item::Mod(item) = item
            && is_open(&item.vis, &item.attrs)
        {
            let name = format!("{module}{}", item.ident);
            self.add(name.clone(), with(&item.attrs, "mod".to_owned()), item.span());
            if let Some((_, items)) = &item.content {
                self.all(items, &format!("{name}::"));
            }
        }
    }

    /// Constants, statics and functions.
    fn value(&mut self, item: &syn::Item, module: &str) {
        let named = |name: &proc_macro2::Ident| format!("{module}{name}");
        if let syn::Item::Const(item) = item
            && is_open(&item.vis, &item.attrs)
        {
            let text = format!("const: {} = {}", text(&item.ty), text(&item.expr));
            self.add(named(&item.ident), with(&item.attrs, text), item.span());
        }
        if let syn::Item::Static(item) = item
            && is_open(&item.vis, &item.attrs)
        {
            let text = format!("static {}: {}", text(&item.mutability), text(&item.ty));
            self.add(named(&item.ident), with(&item.attrs, text), item.span());
        }
        if let syn::Item::Fn(item) = item
            && is_open(&item.vis, &item.attrs)
        {
            let text = signature(&item.sig);
            self.add(named(&item.sig.ident), with(&item.attrs, text), item.span());
        }
    }

    /// What another place declares, and macros.
    fn reexport(&mut self, item: &syn::Item, module: &str) {
        if let syn::Item::Use(item) = item
            && is_open(&item.vis, &item.attrs)
        {
            let name = format!("{module}use {}", text(&item.tree));
            self.add(name, with(&item.attrs, "use".to_owned()), item.span());
        }
        if let syn::Item::ExternCrate(item) = item
            && is_open(&item.vis, &item.attrs)
        {
            let name = format!("{module}extern crate {}", item.ident);
            self.add(name, "extern crate".to_owned(), item.span());
        }
        if let syn::Item::Macro(item) = item
            && item.attrs.iter().any(|one| one.path().is_ident("macro_export"))
            && let Some(name) = &item.ident
        {
            self.add(format!("{name}!"), with(&item.attrs, "macro".to_owned()), item.span());
        }
    }

    /// Types and traits.
    fn declared(&mut self, item: &syn::Item, module: &str) {
        let named = |name: &proc_macro2::Ident| format!("{module}{name}");
        if let syn::Item::Type(item) = item
            && is_open(&item.vis, &item.attrs)
        {
            let text = format!("type{} = {}", generics(&item.generics), text(&item.ty));
            self.add(named(&item.ident), with(&item.attrs, text), item.span());
        }
        if let syn::Item::Struct(item) = item
            && is_open(&item.vis, &item.attrs)
        {
            let head = format!("struct{}", generics(&item.generics));
            self.fields(&named(&item.ident), &head, &item.attrs, &item.fields, item.span());
        }
        if let syn::Item::Union(item) = item
            && is_open(&item.vis, &item.attrs)
        {
            let head = format!("union{}", generics(&item.generics));
            let fields = Fields::Named(item.fields.clone());
            self.fields(&named(&item.ident), &head, &item.attrs, &fields, item.span());
        }
        if let syn::Item::Enum(item) = item
            && is_open(&item.vis, &item.attrs)
        {
            self.of_enum(named(&item.ident), item);
        }
        if let syn::Item::Trait(item) = item
            && is_open(&item.vis, &item.attrs)
        {
            self.of_trait(&named(&item.ident), item);
        }
    }

    fn of_enum(&mut self, name: String, item: &syn::ItemEnum) {
        let variants: Vec<String> =
            item.variants.iter().map(|variant| variant.ident.to_string()).collect();
        let head = format!("enum{} {{ {} }}", generics(&item.generics), variants.join(", "));
        for variant in &item.variants {
            let value = variant
                .discriminant
                .as_ref()
                .map_or_else(String::new, |(_, value)| format!(" = {}", text(value)));
            let body = format!("variant {}{value}", every_field(&variant.fields));
            self.add(
                format!("{name}::{}", variant.ident),
                with(&variant.attrs, body),
                variant.span(),
            );
        }
        self.add(name, with(&item.attrs, head), item.span());
    }

    fn fields(
        &mut self,
        name: &str,
        head: &str,
        attrs: &[Attribute],
        fields: &Fields,
        span: proc_macro2::Span,
    ) {
        let mut order = Vec::new();
        let mut has_private = false;
        for (index, field) in fields.iter().enumerate() {
            if is_public(&field.vis) {
                let own =
                    field.ident.as_ref().map_or_else(|| index.to_string(), ToString::to_string);
                self.add(
                    format!("{name}.{own}"),
                    with(&field.attrs, text(&field.ty)),
                    field.span(),
                );
                order.push(own);
            } else {
                has_private = true;
            }
        }
        if has_private {
            order.push("..".to_owned());
        }
        let (open, close) = match fields {
            Fields::Named(_) => ("{ ", " }"),
            Fields::Unnamed(_) => ("(", ")"),
            Fields::Unit => ("", ""),
        };
        let body = format!("{head} {open}{}{close}", order.join(", "));
        self.add(name.to_owned(), with(attrs, body.trim_end().to_owned()), span);
    }

    fn of_trait(&mut self, name: &str, item: &ItemTrait) {
        let unsafety = if item.unsafety.is_some() { "unsafe " } else { "" };
        let bounds: Vec<String> = item.supertraits.iter().map(text).collect();
        let head = format!("{unsafety}trait{} : {}", generics(&item.generics), bounds.join(" + "));
        self.add(
            name.to_owned(),
            with(&item.attrs, head.trim_end_matches([' ', ':']).to_owned()),
            item.span(),
        );
        for member in &item.items {
            if let TraitItem::Fn(one) = member {
                let provided = if one.default.is_some() { " provided" } else { "" };
                let body = format!("{}{provided}", signature(&one.sig));
                self.add(format!("{name}::{}", one.sig.ident), with(&one.attrs, body), one.span());
            } else if let TraitItem::Const(one) = member {
                let value = one
                    .default
                    .as_ref()
                    .map_or_else(String::new, |(_, value)| format!(" = {}", text(value)));
                let body = format!("const: {}{value}", text(&one.ty));
                self.add(format!("{name}::{}", one.ident), with(&one.attrs, body), one.span());
            } else if let TraitItem::Type(one) = member {
                let bounds: Vec<String> = one.bounds.iter().map(text).collect();
                let body = format!("type{} : {}", generics(&one.generics), bounds.join(" + "));
                self.add(format!("{name}::{}", one.ident), with(&one.attrs, body), one.span());
            } else {
                // A macro call adds members that nobody sees here; that it is there is all that can be frozen.
                self.add(format!("{name}::{}", text(member)), "member".to_owned(), member.span());
            }
        }
    }

    fn of_impl(&mut self, module: &str, item: &ItemImpl) {
        let target = text(&item.self_ty);
        let bare = target.split([' ', '<']).next().unwrap_or(&target).to_owned();
        if self.private.contains(&bare) {
            return;
        }
        let head = generics(&item.generics);
        if let Some((path, _)) = &item.trait_ {
            let types: Vec<String> = item
                .items
                .iter()
                .filter_map(|member| {
                    // Bodies are no part of the surface, and the trait says the rest.
                    let ImplItem::Type(one) = member else { return None };
                    Some(format!("{} = {}", one.ident, text(&one.ty)))
                })
                .collect();
            let body = format!("impl{head} {{ {} }}", types.join(", "));
            self.add(
                format!("{module}impl {} for {target}", text(path)),
                with(&item.attrs, body),
                item.span(),
            );
            return;
        }
        for member in &item.items {
            if let ImplItem::Fn(one) = member
                && is_open(&one.vis, &one.attrs)
            {
                let body = format!("{}{}", in_impl(&head), signature(&one.sig));
                let name = format!("{module}{bare}::{}", one.sig.ident);
                self.add(name, with(&one.attrs, body), one.span());
            }
            if let ImplItem::Const(one) = member
                && is_open(&one.vis, &one.attrs)
            {
                let body =
                    format!("{}const: {} = {}", in_impl(&head), text(&one.ty), text(&one.expr));
                self.add(
                    format!("{module}{bare}::{}", one.ident),
                    with(&one.attrs, body),
                    one.span(),
                );
            }
        }
    }

    /// Adds an item. Two of one name, as `cfg` makes them, are one with both texts.
    fn add(&mut self, name: String, text: String, span: proc_macro2::Span) {
        let start = span.start();
        let number = |n: usize| u32::try_from(n).unwrap_or(0);
        let at = Location::at(self.path, number(start.line), number(start.column + 1));
        let name = format!("{}#{name}", self.path);
        match self.items.get_mut(&name) {
            Some(item) => {
                item.text.push_str(" | ");
                item.text.push_str(&text);
            }
            None => {
                self.items.insert(name, Item { text, at });
            }
        }
    }
}

fn is_public(vis: &Visibility) -> bool {
    matches!(vis, Visibility::Public(_))
}

fn is_open(vis: &Visibility, attrs: &[Attribute]) -> bool {
    is_public(vis) && !is_test(attrs)
}

fn is_test(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|one| one.path().is_ident("cfg") && text(&one.meta) == "cfg (test)")
}

fn in_impl(head: &str) -> String {
    if head.is_empty() { String::new() } else { format!("impl{head} ") }
}

fn text(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

/// Parameters and bounds, without the commas that only formatting wants.
fn generics(generics: &Generics) -> String {
    let mut generics = generics.clone();
    generics.params.pop_punct();
    let clause = generics.where_clause.take().map(|mut clause| {
        clause.predicates.pop_punct();
        format!(" {}", text(&clause))
    });
    let params = text(&generics);
    let params = if params.is_empty() { params } else { format!(" {params}") };
    format!("{params}{}", clause.unwrap_or_default())
}

fn signature(signature: &Signature) -> String {
    let mut signature = signature.clone();
    signature.inputs.pop_punct();
    let own = generics(&signature.generics);
    signature.generics = Generics::default();
    let shown = text(&signature);
    if own.is_empty() { shown } else { format!("{shown} with{own}") }
}

/// The fields of a variant, which are all public, in order.
fn every_field(fields: &Fields) -> String {
    let each = fields.iter().map(|field| {
        let own = field.ident.as_ref().map_or_else(String::new, |name| format!("{name}: "));
        format!("{own}{}", text(&field.ty))
    });
    let list = each.collect::<Vec<_>>().join(", ");
    match fields {
        Fields::Named(_) => format!("{{ {list} }}"),
        Fields::Unnamed(_) => format!("({list})"),
        Fields::Unit => "unit".to_owned(),
    }
}

/// A text with the attributes before it that others can tell; derived traits are a set.
fn with(attrs: &[Attribute], body: String) -> String {
    let mut derived = BTreeSet::new();
    let mut told = BTreeSet::new();
    for one in attrs {
        if one.path().is_ident("derive") {
            if let syn::Meta::List(list) = &one.meta {
                let names = list.tokens.to_string();
                derived.extend(
                    names
                        .split(',')
                        .map(|name| name.trim().to_owned())
                        .filter(|name| !name.is_empty()),
                );
            }
        } else if TELLING.iter().any(|name| one.path().is_ident(name)) {
            told.insert(format!("#[{}]", text(&one.meta)));
        }
    }
    if !derived.is_empty() {
        told.insert(format!("#[derive({})]", derived.into_iter().collect::<Vec<_>>().join(", ")));
    }
    told.into_iter().chain([body]).collect::<Vec<_>>().join(" ")
}
