//! A page on a terminal: paragraphs fitted to its width, names in front of what is said of them, code as it is.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::Page;
use crate::text::{self, Paint};

/// Where a page is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// Columns. Code is never broken.
    pub(crate) width: usize,
    pub(crate) paint: Paint,
}

/// Names up to this width stand beside their text, longer ones above it.
const NAME_COLUMNS: usize = 30;

const INDENT: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Plain,
    Strong,
    Code,
}

#[derive(Clone, Debug)]
struct Span {
    style: Style,
    text: String,
}

#[derive(Debug)]
enum Block {
    Title(Vec<Span>),
    Heading(Vec<Span>),
    Paragraph(Vec<Span>),
    Code(String),
    Items(Vec<Vec<Span>>),
}

impl Screen {
    /// Several pages, one under the other; each ends in a line feed.
    pub(crate) fn pages(&self, pages: &[Page]) -> String {
        let shown = pages.iter().map(|page| self.page(&page.text));
        shown.collect::<Vec<_>>().join("\n")
    }

    fn page(&self, markdown: &str) -> String {
        let blocks = blocks(markdown);
        let mut out = String::new();
        let mut code_seen = false;
        for block in &blocks {
            if !out.is_empty() {
                out.push('\n');
            }
            match block {
                Block::Title(spans) => {
                    out.push_str(&self.paint.bold(&plain(spans)));
                    out.push('\n');
                }
                Block::Heading(spans) => {
                    out.push_str(&self.paint.green(&plain(spans)));
                    out.push('\n');
                }
                Block::Paragraph(spans) => self.paragraph(&mut out, spans, 0, 0),
                Block::Code(code) => {
                    for line in code.lines() {
                        // What stands first is how it is called.
                        let line = if code_seen {
                            line.to_owned()
                        } else {
                            self.paint.cyan(line)
                        };
                        out.push_str(&format!("{:1$}{line}\n", "", INDENT * 2));
                    }
                    code_seen = true;
                }
                Block::Items(items) => self.items(&mut out, items),
            }
        }
        out
    }

    fn items(&self, out: &mut String, items: &[Vec<Span>]) {
        let named: Vec<(Option<Span>, Vec<Span>)> =
            items.iter().map(|item| split_name(item)).collect();
        let columns = named
            .iter()
            .filter_map(|(name, _)| name.as_ref())
            .map(|name| text::width(&name.text))
            .filter(|columns| *columns <= NAME_COLUMNS)
            .max()
            .unwrap_or(0);
        for (name, body) in &named {
            let Some(name) = name else {
                out.push_str("- ");
                self.paragraph(out, body, 2, 2);
                continue;
            };
            let shown = match name.style {
                Style::Code => self.paint.cyan(&name.text),
                _ => self.paint.bold(&name.text),
            };
            out.push_str(&format!("{:INDENT$}{shown}", ""));
            let start = INDENT + columns + 2;
            let used = text::width(&name.text);
            if body.is_empty() {
                out.push('\n');
            } else if used > columns {
                out.push('\n');
                out.push_str(&" ".repeat(start));
                self.paragraph(out, body, start, start);
            } else {
                out.push_str(&" ".repeat(columns + 2 - used));
                self.paragraph(out, body, start, start);
            }
        }
    }

    /// Fills lines; the first one has `used` columns already, the others begin with `indent` spaces.
    fn paragraph(&self, out: &mut String, spans: &[Span], used: usize, indent: usize) {
        let mut column = used;
        let mut first = true;
        for (glued, word) in words(spans) {
            let shown = self.shown(&word);
            let columns = text::width(&word.text) + self.marks(word.style) * 2;
            let gap = usize::from(!first && !glued);
            if !first && !glued && column + gap + columns > self.width {
                out.push('\n');
                out.push_str(&" ".repeat(indent));
                column = indent;
            } else if gap == 1 {
                out.push(' ');
                column += 1;
            }
            out.push_str(&shown);
            column += columns;
            first = false;
        }
        out.push('\n');
    }

    /// Code has its marks where there is no colour to tell it by.
    fn marks(&self, style: Style) -> usize {
        usize::from(style == Style::Code && self.paint == Paint::Plain)
    }

    fn shown(&self, span: &Span) -> String {
        match (span.style, self.paint) {
            (Style::Code, Paint::Plain) => format!("`{}`", span.text),
            (Style::Code, paint) => paint.cyan(&span.text),
            (Style::Strong, paint) => paint.bold(&span.text),
            (Style::Plain, _) => span.text.clone(),
        }
    }
}

/// Words with what they look like, and whether they stick to the word before.
fn words(spans: &[Span]) -> Vec<(bool, Span)> {
    let mut words = Vec::new();
    let mut space_before = true;
    for span in spans {
        if span.style == Style::Code {
            words.push((!space_before, span.clone()));
            space_before = false;
            continue;
        }
        for part in span.text.split_inclusive(' ') {
            let word = part.trim_end_matches(' ');
            if !word.is_empty() {
                words.push((
                    !space_before,
                    Span {
                        style: span.style,
                        text: word.to_owned(),
                    },
                ));
            }
            space_before = part.ends_with(' ') || (word.is_empty() && space_before);
        }
    }
    words
}

/// `` `name`: text `` and `**Name:** text` in two parts.
fn split_name(item: &[Span]) -> (Option<Span>, Vec<Span>) {
    let whole = || (None, item.to_vec());
    let Some((first, rest)) = item.split_first() else {
        return whole();
    };
    let mut name = first.clone();
    match (first.style, rest.first()) {
        (Style::Code, None) => (Some(name), Vec::new()),
        (Style::Code, Some(next)) => match next.text.strip_prefix(": ") {
            Some(text) if next.style == Style::Plain => {
                let mut body = rest.to_vec();
                text.clone_into(&mut body[0].text);
                (Some(name), body)
            }
            _ => whole(),
        },
        (Style::Strong, _) => {
            let Some(label) = first.text.strip_suffix(':') else {
                return whole();
            };
            label.clone_into(&mut name.text);
            let mut body = rest.to_vec();
            if let Some(next) = body.first_mut() {
                next.text = next.text.trim_start().to_owned();
            }
            body.retain(|span| !span.text.is_empty());
            (Some(name), body)
        }
        _ => whole(),
    }
}

fn plain(spans: &[Span]) -> String {
    spans.iter().map(|span| span.text.as_str()).collect()
}

/// The parts of Markdown that the manual is written in.
fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut spans: Vec<Span> = Vec::new();
    let mut items: Vec<Vec<Span>> = Vec::new();
    let mut code: Option<String> = None;
    let (mut strong, mut in_list) = (false, false);
    for event in Parser::new_ext(markdown, Options::empty()) {
        match event {
            Event::Start(Tag::Strong) => strong = true,
            Event::End(TagEnd::Strong) => strong = false,
            Event::Start(Tag::List(_)) => in_list = true,
            Event::End(TagEnd::List(_)) => {
                in_list = false;
                blocks.push(Block::Items(std::mem::take(&mut items)));
            }
            Event::End(TagEnd::Item) => items.push(std::mem::take(&mut spans)),
            Event::Start(Tag::CodeBlock(_)) => code = Some(String::new()),
            Event::End(TagEnd::CodeBlock) => {
                blocks.extend(code.take().map(Block::Code));
            }
            Event::End(TagEnd::Heading(level)) => {
                let heading = std::mem::take(&mut spans);
                blocks.push(match level {
                    pulldown_cmark::HeadingLevel::H1 => Block::Title(heading),
                    _ => Block::Heading(heading),
                });
            }
            Event::End(TagEnd::Paragraph) if !in_list => {
                blocks.push(Block::Paragraph(std::mem::take(&mut spans)));
            }
            Event::Text(text) => match &mut code {
                Some(code) => code.push_str(&text),
                None => push(
                    &mut spans,
                    if strong { Style::Strong } else { Style::Plain },
                    &text,
                ),
            },
            Event::Code(text) => push(&mut spans, Style::Code, &text),
            Event::SoftBreak | Event::HardBreak => push(&mut spans, Style::Plain, " "),
            _ => {}
        }
    }
    blocks
}

fn push(spans: &mut Vec<Span>, style: Style, text: &str) {
    match spans.last_mut() {
        Some(last) if last.style == style && style != Style::Code => last.text.push_str(text),
        _ => spans.push(Span {
            style,
            text: text.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    const PAGE: &str = "# exchange::unit\n\n```rhai\nexchange::unit(item: user, address or id) -> unit\n```\n\nThe protection unit of one person, however long the sentence about it may be that stands here.\n\n- `item`: a user, an address, or an id of either.\n- `a_name_that_is_far_too_long_for_this_column`: text\n\n- **Throws:** `UserNotFound`, `Ambiguous`.\n- **Policy class:** `read`; changes nothing\n\nExample:\n\n```rhai\nlet unit = exchange::unit(\"adele@contoso.com\");   // never broken, whatever its length\n```\n";

    #[test]
    fn a_page_is_fitted_to_its_width() {
        let screen = Screen {
            width: 50,
            paint: Paint::Plain,
        };
        assert_snapshot!(screen.page(PAGE), @r#""#);
    }

    #[test]
    fn colours_take_the_place_of_marks() {
        let screen = Screen {
            width: 80,
            paint: Paint::Coloured,
        };
        let shown = screen.page("# x\n\nSay `y` **now**.\n");
        assert_eq!(
            shown,
            "\u{1b}[1mx\u{1b}[0m\n\nSay \u{1b}[36my\u{1b}[0m \u{1b}[1mnow\u{1b}[0m.\n"
        );
    }
}
