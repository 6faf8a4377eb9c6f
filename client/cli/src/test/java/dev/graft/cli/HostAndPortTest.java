package dev.graft.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostAndPortTest {
  @Test
  void parsesNamesAndAddresses() {
    assertThat(HostAndPort.parse("localhost:0")).isEqualTo(new HostAndPort("localhost", 0));
    assertThat(HostAndPort.parse("[::1]:8470")).isEqualTo(new HostAndPort("::1", 8470));
    assertThat(HostAndPort.parse("[::1]:0").withPort(5)).hasToString("[::1]:5");
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost", ":80", "a:", "a:70000", "::1:80", "a:-1"})
  void refusesOthers(String text) {
    assertThatThrownBy(() -> HostAndPort.parse(text)).hasMessageContaining("is not HOST:PORT");
  }
}
