//! Links between our own pages lead somewhere. (Links inside rustdoc are rustdoc's to check.)

use std::path::Path;

use super::File;

pub(crate) fn slips(file: &File, root: &Path) -> Vec<String> {
    if !file.path.ends_with(".md") {
        return Vec::new();
    }
    let folder = root.join(&file.path).parent().map(Path::to_owned).unwrap_or_default();
    let mut slips = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for target in targets(line).filter(|target| !folder.join(target).exists()) {
            slips.push(format!("{}:{}: the link to {target} leads nowhere", file.path, at + 1));
        }
    }
    slips
}

/// The files that a line of Markdown links to, without their fragments.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let links = line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let files = links.map(|target| target.split('#').next().unwrap_or(target));
    // With `::` it is an item of rustdoc.
    files.filter(|target| !target.is_empty() && !target.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_followed_and_the_web_is_not() {
        let line = "see [a](core/docs/a.md#top), [b](https://example.org/b), [c](#c), [d](crate::d) and [e](e.md)";
        assert_eq!(targets(line).collect::<Vec<_>>(), ["core/docs/a.md", "e.md"]);
    }
}
