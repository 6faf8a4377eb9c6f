package dev.graft.cli;

import static java.util.stream.Collectors.joining;

import dev.graft.cli.items.ItemFile;
import dev.graft.client.GraftRpcException;
import dev.graft.client.pool.IncompleteJobException;
import java.io.IOException;
import java.util.List;

/** Says where the item stands that a worker complains about: it knows only the item's number. */
final class WorkerComplaint {
  private static final String ITEM = "item";

  private WorkerComplaint() {}

  /**
   * The failure with the item's file and line, if it is about an item of this file.
   *
   * @param firstNumber number that the file's first item was sent with
   * @param items how many the file has
   */
  static RuntimeException located(
      GraftRpcException failure, ItemFile file, long firstNumber, long items) throws IOException {
    String number = failure.metadata().getOrDefault(ITEM, "");
    if (!number.matches("[0-9]{1,18}")) {
      return failure;
    }
    long place = Long.parseLong(number) - firstNumber;
    if (place < 0 || place >= items) {
      return failure;
    }
    CommandFailure located = new CommandFailure(file.locate(place) + ": " + failure.getMessage());
    located.initCause(failure);
    return located;
  }

  /** The failure of a job whose workers were lost, with the files that its item numbers are of. */
  static RuntimeException incomplete(IncompleteJobException failure, List<ItemFile> files) {
    String names =
        files.stream().map(file -> file.path().toString()).collect(joining(" and then "));
    String numbered =
        failure.missingItems().isEmpty() ? "" : "; items of " + names + " count from 0";
    CommandFailure explained = new CommandFailure(failure.getMessage() + numbered);
    explained.initCause(failure);
    return explained;
  }
}
