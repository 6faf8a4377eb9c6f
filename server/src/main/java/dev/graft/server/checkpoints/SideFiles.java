package dev.graft.server.checkpoints;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * What lies beside a model's weights and configuration and belongs to it all the same: tokenizer,
 * generation settings, texts.
 */
public final class SideFiles {
  private static final Set<String> ENDINGS = Set.of(".json", ".txt", ".model", ".jinja");

  /** Written anew, or about the weights' own files. */
  private static final Set<String> OTHERS = Set.of("config.json", ShardIndex.FILE_NAME);

  private SideFiles() {}

  /**
   * The files by the names that they have in a copy, links resolved.
   *
   * @param roots where links may lead
   */
  public static Map<String, Path> of(Checkpoint checkpoint, ModelRoots roots) {
    if (!Files.isDirectory(checkpoint.directory())) {
      return Map.of(); // a GGUF file has all in itself
    }
    ModelDirectory directory = new ModelDirectory(checkpoint.directory(), roots);
    Map<String, Path> files = new LinkedHashMap<>();
    for (String ending : ENDINGS) {
      for (String name : directory.namesEndingWith(ending)) {
        if (!OTHERS.contains(name) && !name.endsWith(".index.json")) {
          directory.findFile(name).ifPresent(file -> files.put(name, file));
        }
      }
    }
    checkpoint.tokenizer().ifPresent(file -> files.put("tokenizer.json", file));
    return files;
  }
}
