//! `shelf index`.

use std::path::Path;

use crate::{cli::Index, error::Failure, index, library, output::Output};

/// Indexes a folder into the library, which is made when there is none.
pub(super) async fn run(path: &Path, arguments: &Index, output: Output) -> Result<(), Failure> {
    if !arguments.folder.is_dir() {
        return Err(Failure::NotFound(format!("{}: not a folder", arguments.folder.display())));
    }
    let space = library::open(path, None).await?;
    let device = library::this_device(&space, &library::host_name()).await?;
    let name = arguments.name.as_deref();
    let report = index::index(&space, &device, &arguments.folder, name, path, output).await?;
    space.close().await?;
    output.show(&report)
}
