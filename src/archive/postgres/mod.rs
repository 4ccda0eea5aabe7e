use super::*;
pub struct PostgresArchive;
impl PostgresArchive {
    pub fn new(_: &str, _: Option<crate::store::Store>) -> queue::Result<Self> {
        todo!()
    }
}
#[async_trait]
impl Archive for PostgresArchive {
    fn name(&self) -> &str {
        todo!()
    }
    fn keeps_proxies(&self) -> bool {
        todo!()
    }
    async fn source(&self, _: Uuid) -> Result<Option<String>> {
        todo!()
    }
    async fn load(&self, _: Uuid) -> Result<Option<Analysis>> {
        todo!()
    }
    async fn begin(&self, _: &Analysis) -> Result<()> {
        todo!()
    }
    async fn keep_pictures(
        &self,
        _: Uuid,
        _: &[Scene],
        _: &[NewFrame],
        _: Option<PathBuf>,
    ) -> Result<()> {
        todo!()
    }
    async fn keep_transcript(&self, _: Uuid, _: &Transcript) -> Result<()> {
        todo!()
    }
    async fn keep_seen(&self, _: Uuid, _: &[Seen]) -> Result<()> {
        todo!()
    }
    async fn embeddings(&self, _: Uuid, _: &str) -> Result<Vec<Embedding>> {
        todo!()
    }
    async fn keep_embeddings(&self, _: Uuid, _: &str, _: &[Embedding]) -> Result<()> {
        todo!()
    }
    async fn report(&self, _: &Analysis) -> Result<()> {
        todo!()
    }
    async fn picture(&self, _: Uuid, _: u32) -> Result<Option<Bytes>> {
        todo!()
    }
    async fn search(&self, _: &Query) -> Result<Vec<Hit>> {
        todo!()
    }
    async fn forget(&self, _: Uuid) -> Result<()> {
        todo!()
    }
    async fn usage(&self) -> Result<Usage> {
        todo!()
    }
    async fn check(&self) -> Result<()> {
        todo!()
    }
}
