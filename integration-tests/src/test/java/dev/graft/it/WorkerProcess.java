package dev.graft.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.cli.Main;
import dev.graft.client.GraftClient;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A worker in a process of its own. */
final class WorkerProcess implements AutoCloseable {
  private static final Pattern LISTENING = Pattern.compile("listening on (\\S+):(\\d+)");
  private static final long PATIENCE_SECONDS = 60;

  private final Process process;
  private final String host;
  private final int port;
  private final ManagedChannel channel;

  private WorkerProcess(Process process, String host, int port) {
    this.process = process;
    this.host = host;
    this.port = port;
    this.channel = NettyChannelBuilder.forAddress(host, port).usePlaintext().build();
  }

  /**
   * {@code graft serve} on any free port. Its kernel is named: workers that measure theirs may
   * choose different ones.
   */
  static WorkerProcess serve(Path modelRoot, String... options) throws Exception {
    return serve(List.of(), "127.0.0.1", modelRoot, options);
  }

  /**
   * {@code graft serve} on any free port of an address.
   *
   * @param launcher what begins the command, such as {@code ip netns exec NAME}
   */
  static WorkerProcess serve(List<String> launcher, String host, Path modelRoot, String... options)
      throws Exception {
    List<String> command = new ArrayList<>(launcher);
    command.addAll(java(Main.class, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")); // starts soon
    command.addAll(List.of("serve", "--listen", host + ":0", "--lanes", "1", "--kernel", "mkl"));
    command.addAll(List.of("--model-root", modelRoot.toString()));
    command.addAll(List.of(options));
    return start(command);
  }

  /** One {@link SimulatedWorker}. */
  static WorkerProcess simulate(long nanosPerToken, int featureSize) throws Exception {
    return simulate(nanosPerToken, featureSize, 1);
  }

  /** Several {@link SimulatedWorker}s in one process, of which this is the first. */
  static WorkerProcess simulate(long nanosPerToken, int featureSize, int count) throws Exception {
    List<String> command = java(SimulatedWorker.class);
    for (long argument : new long[] {nanosPerToken, featureSize, count}) {
      command.add(Long.toString(argument));
    }
    return start(command);
  }

  /** Begins a command that runs a class of the tests' class path, in a Java like this one. */
  static List<String> java(Class<?> main, String... options) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    return command;
  }

  private static WorkerProcess start(List<String> command) throws Exception {
    Process process =
        new ProcessBuilder(command)
            .redirectError(
                ProcessBuilder.Redirect.appendTo(Path.of("target", "serve.log").toFile()))
            .start();
    try {
      String line =
          CompletableFuture.supplyAsync(() -> firstLine(process))
              .get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      Matcher listening = LISTENING.matcher(line);
      assertThat(listening.matches()).as(line).isTrue();
      return new WorkerProcess(process, listening.group(1), Integer.parseInt(listening.group(2)));
    } catch (Exception | AssertionError e) {
      process.destroyForcibly();
      throw e;
    }
  }

  private static String firstLine(Process process) {
    try {
      BufferedReader out = process.inputReader(UTF_8);
      return String.valueOf(out.readLine());
    } catch (IOException e) {
      return e.toString();
    }
  }

  int port() {
    return port;
  }

  String address() {
    return host + ":" + port;
  }

  boolean isAlive() {
    return process.isAlive();
  }

  ManagedChannel channel() {
    return channel;
  }

  GraftClient client() {
    return GraftClient.builder(channel).build();
  }

  /** SIGTERM. */
  void terminate() {
    process.destroy();
  }

  /** SIGKILL. */
  void kill() {
    process.destroyForcibly();
  }

  /** SIGSTOP: the process hangs, its connections stay. */
  void suspend() {
    signal("STOP");
  }

  /** Whether the kernel has stopped it. */
  boolean isSuspended() {
    try {
      String stat = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"));
      return stat.charAt(stat.lastIndexOf(')') + 2) == 'T';
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** SIGCONT: the process goes on. */
  void resume() {
    signal("CONT");
  }

  private void signal(String name) {
    try {
      Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
      assertThat(kill.waitFor()).isZero();
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Waits for the end of the process; its exit code. */
  int exitCode() throws InterruptedException {
    assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).as("the process ends").isTrue();
    return process.exitValue();
  }

  @Override
  public void close() {
    channel.shutdownNow();
    process.destroyForcibly();
  }
}
