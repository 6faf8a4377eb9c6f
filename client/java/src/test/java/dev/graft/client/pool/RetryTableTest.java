package dev.graft.client.pool;

import static dev.graft.client.pool.RetryScope.NEVER;
import static dev.graft.client.pool.RetryScope.OTHER_WORKER;
import static dev.graft.client.pool.RetryScope.SAME_WORKER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.grpc.Status.Code;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every row of the table. */
class RetryTableTest {
  static Stream<Arguments> rows() {
    return Stream.of(
        arguments(Code.UNAVAILABLE, "", OTHER_WORKER),
        arguments(Code.UNAVAILABLE, "WORKER_DRAINING", OTHER_WORKER),
        arguments(Code.UNAVAILABLE, "DEVICE_UNAVAILABLE", OTHER_WORKER),
        arguments(Code.UNAVAILABLE, "STALLED", OTHER_WORKER),
        arguments(Code.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", OTHER_WORKER),
        arguments(Code.RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", OTHER_WORKER),
        arguments(Code.RESOURCE_EXHAUSTED, "", OTHER_WORKER),
        arguments(Code.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE", NEVER),
        arguments(Code.RESOURCE_EXHAUSTED, "FILE_TOO_LARGE", NEVER),
        arguments(Code.RESOURCE_EXHAUSTED, "DATASET_TOO_LARGE", NEVER),
        arguments(Code.INTERNAL, "INTERNAL", OTHER_WORKER),
        arguments(Code.INTERNAL, "", OTHER_WORKER),
        arguments(Code.UNKNOWN, "", OTHER_WORKER),
        arguments(Code.CANCELLED, "", OTHER_WORKER),
        arguments(Code.CANCELLED, "CANCELLED_BY_CLIENT", NEVER),
        arguments(Code.DATA_LOSS, "BROKEN_CONTRACT", OTHER_WORKER),
        arguments(Code.DATA_LOSS, "BACKBONE_CHANGED", NEVER),
        arguments(Code.DATA_LOSS, "", NEVER),
        arguments(Code.DEADLINE_EXCEEDED, "", OTHER_WORKER),
        arguments(Code.ABORTED, "", SAME_WORKER),
        arguments(Code.ABORTED, "NON_FINITE_LOSS", NEVER),
        arguments(Code.INVALID_ARGUMENT, "INVALID_ITEM", NEVER),
        arguments(Code.NOT_FOUND, "BACKBONE_NOT_FOUND", NEVER),
        arguments(Code.ALREADY_EXISTS, "", NEVER),
        arguments(Code.PERMISSION_DENIED, "OUTSIDE_MODEL_ROOTS", NEVER),
        arguments(Code.FAILED_PRECONDITION, "CORRUPT_CHECKPOINT", NEVER),
        arguments(Code.OUT_OF_RANGE, "", NEVER),
        arguments(Code.UNIMPLEMENTED, "", NEVER),
        arguments(Code.UNAUTHENTICATED, "", NEVER),
        arguments(Code.OK, "", NEVER));
  }

  @ParameterizedTest
  @MethodSource("rows")
  void aRow(Code code, String reason, RetryScope scope) {
    assertThat(RetryTable.scope(code, reason)).isEqualTo(scope);
  }

  @Test
  void everyCodeHasARow() {
    assertThat(rows().map(row -> row.get()[0])).containsAll(Arrays.asList(Code.values()));
  }

  @Test
  void whatNoCallGaveIsNotTriedAgain() {
    assertThat(RetryTable.scope(new IllegalStateException("a defect"))).isEqualTo(NEVER);
  }
}
