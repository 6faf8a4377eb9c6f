package dev.graft.server.hub;

import java.util.Arrays;
import java.util.regex.Pattern;

/**
 * A file of a repository at some commit.
 *
 * @param name its path in the repository, safe to resolve against a directory
 * @param bytes its size
 * @param etag what it is addressed by: the SHA-256 of a large file, the git blob's SHA-1 of a small
 *     one, in hex
 */
record RepositoryFile(String name, long bytes, String etag) {
  private static final Pattern ETAG = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");
  private static final int LONGEST_NAME = 1024;

  static boolean isEtag(String text) {
    return ETAG.matcher(text).matches();
  }

  /** Whether a path, as a hub gives it, leads nowhere but down on any system. */
  static boolean isSafe(String path) {
    return path.length() <= LONGEST_NAME
        && path.chars().noneMatch(character -> character < ' ' || character == 127)
        && path.indexOf('\\') < 0
        && path.indexOf(':') < 0
        && Arrays.stream(path.split("/", -1))
            .noneMatch(part -> part.isEmpty() || part.equals(".") || part.equals(".."));
  }
}
