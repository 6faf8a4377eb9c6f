package dev.graft.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.rpc.RetryInfo;
import dev.graft.server.GraftException;
import dev.graft.server.GraftException.Category;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class StatusesTest {
  @ParameterizedTest
  @EnumSource
  void everyCategoryIsACodeOfItsName(Category category) {
    assertThat(code(GraftException.of(category, "REASON", "It is.")).name())
        .isEqualTo(category.name());
  }

  @ParameterizedTest
  @ValueSource(strings = {"WORKER_DRAINING", "TOO_MANY_CALLS", "FEATURE_MEMORY_FULL"})
  void whatPassesSaysWhenToTryAgain(String reason) {
    assertThat(hasRetryInfo(reason)).isTrue();
  }

  @Test
  void whatDoesNotPassSaysNothing() {
    assertThat(hasRetryInfo("DATASET_TOO_LARGE")).isFalse();
  }

  private static Status.Code code(GraftException error) {
    return Statuses.of(error).getStatus().getCode();
  }

  private static boolean hasRetryInfo(String reason) {
    GraftException error = GraftException.of(Category.RESOURCE_EXHAUSTED, reason, "It is.");
    return StatusProto.fromThrowable(Statuses.of(error)).getDetailsList().stream()
        .map(Any::getTypeUrl)
        .anyMatch(type -> type.endsWith(RetryInfo.getDescriptor().getFullName()));
  }
}
