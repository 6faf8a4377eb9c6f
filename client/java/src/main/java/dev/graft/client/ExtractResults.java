package dev.graft.client;

import dev.graft.v1.ExtractReady;
import dev.graft.v1.ItemResult;
import java.util.List;

/**
 * All that an Extract call came to.
 *
 * @param ready the spec with every default filled in
 * @param results one for each item, in the order of the items
 */
public record ExtractResults(ExtractReady ready, List<ItemResult> results) {
  /** Makes an immutable copy. */
  public ExtractResults {
    results = List.copyOf(results);
  }
}
