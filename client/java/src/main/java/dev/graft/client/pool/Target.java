package dev.graft.client.pool;

import java.util.Arrays;
import java.util.List;

/**
 * Where workers are found.
 *
 * @param name what gRPC resolves
 * @param oneWorker whether all addresses of the name are one worker's, as those of {@code
 *     localhost} are; else each address is a worker
 */
record Target(String name, boolean oneWorker) {
  /**
   * Reads targets that commas separate: {@code HOST:PORT}, or with a scheme any that gRPC knows.
   */
  static List<Target> parse(String targets) {
    List<Target> parsed =
        Arrays.stream(targets.split(","))
            .map(String::strip)
            .filter(name -> !name.isEmpty())
            .distinct()
            .map(name -> new Target(name, !hasScheme(name)))
            .toList();
    if (parsed.isEmpty()) {
      throw new IllegalArgumentException(
          "no workers are named; name them as HOST:PORT,HOST:PORT or as dns:///NAME:PORT");
    }
    return parsed;
  }

  private static boolean hasScheme(String name) {
    return name.contains(":///") || name.contains("://");
  }
}
