package dev.graft.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.rpc.RetryInfo;
import dev.graft.server.GraftException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class CallsTest {
  private final Calls calls = new Calls(8, new FakeAlarms(), Duration.ofSeconds(60));

  @Test
  void aLackOfMemoryPassesWhereOtherCallsTakeItToo() {
    calls.enter(() -> {});
    calls.enter(() -> {});
    for (Throwable lack : new Throwable[] {lackOfMemory(), new OutOfMemoryError("heap")}) {
      StatusRuntimeException status = Statuses.of(calls.explained(lack));
      assertThat(status.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(status).hasMessageContaining("1 other calls").hasMessageContaining("Try later");
      assertThat(hasRetryInfo(status)).isTrue();
    }
  }

  @Test
  void aCallAloneThatLacksMemoryWillLackItAgain() {
    calls.enter(() -> {});
    StatusRuntimeException status = Statuses.of(calls.explained(lackOfMemory()));
    assertThat(status).hasMessageContaining("cuda:0").hasMessageContaining("max_tokens");
    assertThat(hasRetryInfo(status)).isFalse();
  }

  @Test
  void otherErrorsStayAsTheyAre() {
    GraftException error = GraftException.invalidArgument("INVALID_SPEC", "It is.");
    assertThat(calls.explained(error)).isSameAs(error);
  }

  private static GraftException lackOfMemory() {
    return GraftException.of(
            GraftException.Category.RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "Too little.")
        .with("device", "cuda:0");
  }

  private static boolean hasRetryInfo(StatusRuntimeException status) {
    return StatusProto.fromThrowable(status).getDetailsList().stream()
        .map(Any::getTypeUrl)
        .anyMatch(type -> type.endsWith(RetryInfo.getDescriptor().getFullName()));
  }
}
