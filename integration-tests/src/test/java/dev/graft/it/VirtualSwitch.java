package dev.graft.it;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A network switch with a cable to this machine and one to each of several network namespaces. A
 * cable that is pulled loses packets both ways, and neither end is told. Needs root.
 */
final class VirtualSwitch implements AutoCloseable {
  /** For tests of networks (RFC 2544), so nobody's own. */
  private static final String SUBNET = "198.18.0.";

  private static final int HOST = 254;

  private final String prefix = "graft" + ProcessHandle.current().pid();
  private final int ports;

  private VirtualSwitch(int ports) {
    this.ports = ports;
  }

  /**
   * @throws IOException if this machine, or this user, cannot have one; the message says why
   */
  static VirtualSwitch open(int ports) throws IOException {
    VirtualSwitch opened = new VirtualSwitch(ports);
    try {
      opened.plugAllIn();
      return opened;
    } catch (IOException failed) {
      try (opened) {
        throw failed;
      }
    }
  }

  private void plugAllIn() throws IOException {
    ip("netns", "add", switchName());
    inSwitch("link", "add", "bridge", "type", "bridge");
    inSwitch("link", "set", "bridge", "up");
    ip(
        "link",
        "add",
        hostInterface(),
        "type",
        "veth",
        "peer",
        "name",
        "host",
        "netns",
        switchName());
    ip("addr", "add", SUBNET + HOST + "/24", "dev", hostInterface());
    ip("link", "set", hostInterface(), "up");
    plugIn("host");
    for (int port = 0; port < ports; port++) {
      String name = namespace(port);
      ip("netns", "add", name);
      ip(
          "-n",
          name,
          "link",
          "add",
          "eth0",
          "type",
          "veth",
          "peer",
          "name",
          "port" + port,
          "netns",
          switchName());
      ip("-n", name, "addr", "add", address(port) + "/24", "dev", "eth0");
      ip("-n", name, "link", "set", "eth0", "up");
      ip("-n", name, "link", "set", "lo", "up");
      plugIn("port" + port);
    }
  }

  private void plugIn(String cable) throws IOException {
    inSwitch("link", "set", cable, "master", "bridge");
    inSwitch("link", "set", cable, "up");
  }

  /** The address of what runs in a port's namespace. */
  String address(int port) {
    return SUBNET + (port + 1);
  }

  /** What begins a command that is to run there. */
  List<String> launcher(int port) {
    return List.of("ip", "netns", "exec", namespace(port));
  }

  void pull(int port) throws IOException {
    inSwitch("link", "set", "port" + port, "nomaster");
  }

  void plugIn(int port) throws IOException {
    plugIn("port" + port);
  }

  private String switchName() {
    return prefix + "-switch";
  }

  private String hostInterface() {
    return prefix; // at most 15 letters
  }

  private String namespace(int port) {
    return prefix + "-" + port;
  }

  private void inSwitch(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("-n", switchName()));
    command.addAll(List.of(arguments));
    ip(command.toArray(String[]::new));
  }

  private static void ip(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("ip"));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new IOException(String.join(" ", command) + ": " + output.strip());
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      throw new IOException(e);
    }
  }

  /** The cables go with the namespaces that they lead to. */
  @Override
  public void close() throws IOException {
    String known = namespaces();
    for (int port = 0; port < ports; port++) {
      delete(known, namespace(port));
    }
    delete(known, switchName());
  }

  private static void delete(String known, String namespace) throws IOException {
    if (known.lines().anyMatch(line -> line.split(" ", 2)[0].equals(namespace))) {
      ip("netns", "del", namespace);
    }
  }

  private static String namespaces() throws IOException {
    Process process = new ProcessBuilder("ip", "netns", "list").start();
    return new String(process.getInputStream().readAllBytes(), UTF_8);
  }
}
