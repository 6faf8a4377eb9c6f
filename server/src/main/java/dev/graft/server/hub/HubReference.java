package dev.graft.server.hub;

import dev.graft.server.GraftException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code hf://organization/name[@revision][/file.gguf]}, as {@code huggingface_hub} writes it: a
 * slash in a revision is {@code %2F}, except in {@code refs/pr/N} and {@code refs/convert/NAME}.
 *
 * @param repository {@code organization/name}
 * @param revision branch, tag or commit; {@code main} where none is given
 * @param file the GGUF file that is the backbone; empty for a repository of safetensors, or with
 *     one GGUF file
 */
public record HubReference(String repository, String revision, Optional<String> file) {
  private static final String SCHEME = "hf://";
  private static final String DEFAULT_REVISION = "main";

  /** Organization, name, and the rest of the path; the revision may hold a slash, see below. */
  private static final Pattern FORM =
      Pattern.compile(
          "hf://(?:models/)?([^/@]+/[^/@]+)(?:@(refs/(?:pr/\\d+|convert/[\\w.-]+)|[^/]*))?(?:/(.*))?");

  private static final Pattern REPOSITORY_PART = Pattern.compile("\\w[\\w.-]*");
  private static final int LONGEST_REPOSITORY = 96;

  /** What git allows in a reference and a path can hold; no part begins with a dot or a dash. */
  private static final Pattern REVISION = Pattern.compile("\\w[\\w.+-]*(?:/\\w[\\w.+-]*)*");

  private static final int LONGEST_REVISION = 200;
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  /** Whether a backbone's path names a place on the hub. */
  public static boolean isReference(String path) {
    return path.startsWith(SCHEME);
  }

  /**
   * Reads a reference.
   *
   * @throws GraftException INVALID_ARGUMENT INVALID_BACKBONE_PATH
   */
  public static HubReference parse(String text) {
    Matcher parts = FORM.matcher(text);
    if (!parts.matches()) {
      throw invalid(text, "is not hf://organization/name[@revision][/file.gguf]");
    }
    String repository = parts.group(1);
    requireRepository(text, repository);
    String revision =
        parts.group(2) == null ? DEFAULT_REVISION : decodedRevision(text, parts.group(2));
    Optional<String> file = Optional.ofNullable(parts.group(3)).filter(path -> !path.isEmpty());
    file.ifPresent(path -> requireGguf(text, path));
    return new HubReference(repository, revision, file);
  }

  private static void requireRepository(String text, String repository) {
    boolean valid =
        repository.length() <= LONGEST_REPOSITORY
            && Arrays.stream(repository.split("/", -1))
                .allMatch(
                    part ->
                        REPOSITORY_PART.matcher(part).matches()
                            && !part.contains("--")
                            && !part.contains("..")
                            && !part.endsWith(".")
                            && !part.endsWith("-")
                            && !part.endsWith(".git"));
    if (!valid) {
      throw invalid(text, "names the repository \"" + repository + "\", which no hub can have");
    }
  }

  private static String decodedRevision(String text, String encoded) {
    String revision;
    try {
      revision = URLDecoder.decode(encoded.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw invalid(text, "has a revision with a malformed % in it").causedBy(e);
    }
    if (revision.length() > LONGEST_REVISION
        || !REVISION.matcher(revision).matches()
        || revision.contains("..")) {
      throw invalid(
          text, "has the revision \"" + revision + "\", which is no branch, tag or commit");
    }
    return revision;
  }

  private static void requireGguf(String text, String path) {
    if (!path.endsWith(".gguf") || !RepositoryFile.isSafe(path)) {
      throw invalid(
          text,
          "names the file \""
              + path
              + "\": only a .gguf file can be a backbone by itself, for all else name the repository");
    }
  }

  private static GraftException invalid(String text, String problem) {
    return GraftException.invalidArgument(
            "INVALID_BACKBONE_PATH", "backbone " + text + " " + problem)
        .with("backbone", text);
  }

  /** The commit, where the revision is one: its files never change. */
  Optional<String> commit() {
    return isCommit(revision) ? Optional.of(revision) : Optional.empty();
  }

  static boolean isCommit(String text) {
    return COMMIT.matcher(text).matches();
  }

  @Override
  public String toString() {
    String shown = revision.startsWith("refs/") ? revision : revision.replace("/", "%2F");
    return SCHEME + repository + "@" + shown + file.map(path -> "/" + path).orElse("");
  }
}
