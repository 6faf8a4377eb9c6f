/**
 * Backbones from a Hugging Face compatible hub, fetched into the cache that {@code huggingface_hub}
 * keeps, so that both share files.
 *
 * <p>{@link dev.graft.server.hub.Hub} is the way in. It asks the hub which files a repository has
 * at a commit ({@code RepositoryListing}), chooses those that a backbone is read from ({@code
 * FileSelection}: safetensors, GGUF, JSON and tokenizer files, never a pickle), and fetches each to
 * a blob that is named by its digest ({@code BlobDownload}), to which the snapshot's names are
 * links ({@code RepositoryCache}).
 *
 * <p>What comes over the network is hostile until proved: names are checked before they become
 * paths, sizes before anything is stored, and no file gets its name before its digest is right. The
 * token goes to the hub alone, never to where it redirects.
 */
package dev.graft.server.hub;
