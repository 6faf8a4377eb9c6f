package dev.graft.cli.items;

import java.util.List;

/** What can be minimized, with the names that the command takes. */
public enum ObjectiveKind {
  CROSS_ENTROPY("cross_entropy", "ce"),
  BINARY_CROSS_ENTROPY("binary_cross_entropy", "bce"),
  MEAN_SQUARED_ERROR("mean_squared_error", "mse"),
  COSINE_EMBEDDING("cosine_embedding", "cosine"),
  INFO_NCE("info_nce", "infonce");

  private final String fullName;
  private final String shortName;

  ObjectiveKind(String fullName, String shortName) {
    this.fullName = fullName;
    this.shortName = shortName;
  }

  /** The full name and the short one. */
  public List<String> names() {
    return List.of(fullName, shortName);
  }

  @Override
  public String toString() {
    return fullName;
  }
}
