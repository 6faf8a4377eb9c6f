package dev.graft.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.server.checkpoints.Safetensors;
import dev.graft.server.checkpoints.TensorEntry;
import dev.graft.server.rpc.Worker;
import dev.graft.server.rpc.WorkerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the documents say can be done is done. */
class ReadmeTest {
  private static final Path REPOSITORY = Path.of("..").toAbsolutePath().normalize();
  private static final Pattern JAVA_BLOCK = Pattern.compile("(?ms)^```java\\n(.*?)^```$");
  private static final Pattern HELP_BLOCK =
      Pattern.compile("(?ms)^## graft ?(\\w*)\\n\\n```\\n(.*?)^```$");
  private static final Pattern LISTED_COMMAND = Pattern.compile("(?m)^  ([a-z]+) {2,}");
  private static final String OUT_OF_DATE =
      "docs/command.md is out of date: run docs/make_command_reference";
  private static final Pattern REASON_IN_CODE =
      Pattern.compile("\"([A-Z]+(?:_[A-Z]+)+|PROTOCOL|INTERNAL)\"");
  private static final Pattern REASON_IN_TEXT =
      Pattern.compile("\\b(?:[A-Z]+(?:_[A-Z]+)+|PROTOCOL|INTERNAL)\\b");
  private static final Pattern PROTO_COMMENT = Pattern.compile("(?m)^ *//(.*)$");

  /** What looks like a reason in the code: settings of the libraries, and of huggingface_hub. */
  private static final Set<String> NO_REASONS =
      Set.of(
          "ATEN_CPU_CAPABILITY",
          "DNNL_MAX_CPU_ISA",
          "HF_ENDPOINT",
          "HF_HOME",
          "HF_HUB_CACHE",
          "HF_HUB_DISABLE_IMPLICIT_TOKEN",
          "HF_HUB_OFFLINE",
          "HF_TOKEN",
          "HF_TOKEN_PATH",
          "HUGGINGFACE_HUB_CACHE",
          "HUGGING_FACE_HUB_TOKEN",
          "MKL_CBWR",
          "ONEDNN_MAX_CPU_ISA",
          "ONEDNN_PRIMITIVE_CACHE_CAPACITY",
          "OPT_OUT_TRACKING",
          "PYTORCH_FLAVOR",
          "PYTORCH_LIBRARY_PATH",
          "PYTORCH_VERSION",
          "TRANSFORMERS_OFFLINE",
          "XDG_CACHE_HOME");

  private static final String ADDRESS = "127.0.0.1:8470";
  private static final String MODEL = "all-MiniLM-L6-v2";
  private static final long SECONDS = 120;

  @TempDir private Path directory;

  @Test
  void theExampleInJavaRuns() throws Exception {
    Path root = Files.createDirectories(directory.resolve("models"));
    MiniLm.unpack(root);
    Files.move(root.resolve("minilm"), root.resolve(MODEL));
    try (Worker worker =
        Worker.start(new WorkerOptions().listen("127.0.0.1", 0).modelRoots(List.of(root)))) {
      String example = only(JAVA_BLOCK, read("README.md"));
      assertThat(example).contains(ADDRESS, MODEL);
      compile(example.replace(ADDRESS, "127.0.0.1:" + worker.port()));
      java("Example");
    }
    List<long[]> shapes =
        Safetensors.open(directory.resolve("projector.safetensors")).tensors().values().stream()
            .map(TensorEntry::shape)
            .toList();
    assertThat(shapes).containsExactlyInAnyOrder(new long[] {2, 384}, new long[] {2});
  }

  @Test
  void theReferenceIsWhatTheCommandSays() throws Exception {
    Matcher blocks = HELP_BLOCK.matcher(read("docs/command.md"));
    List<String> found = new ArrayList<>();
    List<String> helps = new ArrayList<>();
    while (blocks.find()) {
      String command = blocks.group(1);
      found.add(command);
      List<String> arguments = new ArrayList<>(List.of("dev.graft.cli.Main"));
      if (!command.isEmpty()) {
        arguments.add(command);
      }
      arguments.add("--help");
      helps.add(java(arguments.toArray(String[]::new)));
      assertThat(blocks.group(2)).as(OUT_OF_DATE).isEqualTo(helps.get(helps.size() - 1));
    }
    List<String> commands = new ArrayList<>(List.of(""));
    LISTED_COMMAND.matcher(helps.get(0)).results().forEach(each -> commands.add(each.group(1)));
    assertThat(found).as(OUT_OF_DATE).isEqualTo(commands);
  }

  @Test
  void everyReasonIsExplained() throws Exception {
    Set<String> inCode = reasonsInCode();
    assertThat(reasonsIn(read("docs/architecture.md")))
        .as("docs/architecture.md, Errors")
        .containsAll(inCode);
    StringBuilder comments = new StringBuilder();
    for (String name : List.of("extract", "train", "quantize", "worker")) {
      String proto = read("proto/src/main/proto/graft/v1/" + name + ".proto");
      PROTO_COMMENT.matcher(proto).results().forEach(r -> comments.append(r.group(1)).append('\n'));
    }
    assertThat(reasonsIn(comments.toString()))
        .as("the errors of the RPCs, in the protos' comments")
        .containsAll(inCode);
  }

  private static Set<String> reasonsInCode() throws IOException {
    Set<String> inCode = new TreeSet<>();
    try (Stream<Path> files = Files.walk(REPOSITORY.resolve("server/src/main/java"))) {
      for (Path file : files.filter(path -> path.toString().endsWith(".java")).toList()) {
        REASON_IN_CODE
            .matcher(Files.readString(file))
            .results()
            .forEach(r -> inCode.add(r.group(1)));
      }
    }
    inCode.removeAll(NO_REASONS);
    assertThat(inCode).contains("PROTOCOL", "INTERNAL", "TOKEN_OUT_OF_RANGE", "SPEC_TIMEOUT");
    return inCode;
  }

  private static Set<String> reasonsIn(String text) {
    Set<String> reasons = new TreeSet<>();
    REASON_IN_TEXT.matcher(text).results().forEach(r -> reasons.add(r.group()));
    return reasons;
  }

  private static String read(String file) throws IOException {
    return Files.readString(REPOSITORY.resolve(file));
  }

  private static String only(Pattern block, String page) {
    Matcher blocks = block.matcher(page);
    assertThat(blocks.results()).hasSize(1);
    return blocks.reset().results().findFirst().orElseThrow().group(1);
  }

  /** Puts the example's imports before a class and the rest into its main method. */
  private void compile(String example) throws IOException {
    List<String> imports = new ArrayList<>();
    List<String> statements = new ArrayList<>();
    example.lines().forEach(line -> (line.startsWith("import ") ? imports : statements).add(line));
    Path source = directory.resolve("Example.java");
    Files.writeString(
        source,
        """
        %s
        class Example {
          public static void main(String[] arguments) throws Exception {
        %s
          }
        }
        """
            .formatted(String.join("\n", imports), String.join("\n", statements)));
    int code =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "-proc:none",
                "-classpath",
                System.getProperty("java.class.path"),
                "-d",
                directory.toString(),
                source.toString());
    assertThat(code).isZero();
  }

  /** Runs a class in a process of its own, in the temporary directory; returns what it prints. */
  private String java(String... mainClassAndArguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-cp");
    command.add(directory + ":" + System.getProperty("java.class.path"));
    command.addAll(List.of(mainClassAndArguments));
    Path output = directory.resolve("output.txt");
    Process process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(SECONDS, TimeUnit.SECONDS)).as("ends in time").isTrue();
    } finally {
      process.destroyForcibly();
    }
    String printed = Files.readString(output, UTF_8);
    assertThat(process.exitValue()).as(printed).isZero();
    return printed;
  }
}
