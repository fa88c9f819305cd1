/** The folder of the playbooks that come with Starr; reading files is the caller's business. The same from src and dist. */
export const bundledPlaybooksUrl = new URL('../playbooks/', import.meta.url);
