package dev.graft.cli.items;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ItemFileTest {
  @TempDir Path directory;

  @Test
  void readsJsonLinesWithAllTheyMayHave() throws IOException {
    List<InputItem> items =
        read(
            "items.jsonl",
            """
            {"id": "a", "text": "Grüße", "label": "x", "year": 1790}

            {"input_ids": [101, 4294967295], "label": 3, "pair": {"text": "other"}}
            {"id": 7, "text": "", "label": [1.5, -2], "pair": "plain"}
            """);

    assertThat(items).extracting(InputItem::number).containsExactly(0L, 1L, 2L);
    assertThat(items).extracting(InputItem::line).containsExactly(1L, 3L, 4L);
    assertThat(items).extracting(InputItem::name).containsExactly("a", "1", "7");
    assertThat(items.get(0).content().getText()).isEqualTo("Grüße");
    assertThat(items.get(1).content().getTokenIds().getIdsList()).containsExactly(101, -1);
    assertThat(items.get(1).pair().orElseThrow().getText()).isEqualTo("other");
    assertThat(items.get(2).pair().orElseThrow().getText()).isEqualTo("plain");
    assertThat(items.get(0).label().orElseThrow().isList()).isFalse();
    assertThat(items.get(2).label().orElseThrow().values())
        .extracting(LabelValue.Scalar::kind)
        .containsExactly(LabelValue.Kind.REAL_NUMBER, LabelValue.Kind.WHOLE_NUMBER);
  }

  @Test
  void readsCsvWithQuotesLineEndsAndByteOrderMark() throws IOException {
    List<InputItem> items =
        read(
            "items.csv",
            "\uFEFF"
                + """
                id,text,label,more
                a,"one, two",x,
                ,"say ""hi\""
                there",1,z

                b,plain,,
                """
                    .replace("x,\n", "x,\r\n"));

    assertThat(items)
        .extracting(item -> item.content().getText())
        .containsExactly("one, two", "say \"hi\"\nthere", "plain");
    assertThat(items).extracting(InputItem::name).containsExactly("a", "1", "b");
    assertThat(items).extracting(InputItem::line).containsExactly(2L, 3L, 6L);
    assertThat(items.get(1).label().orElseThrow().values().get(0).kind())
        .isEqualTo(LabelValue.Kind.WHOLE_NUMBER);
    assertThat(items.get(2).label()).isEmpty();
  }

  @Test
  void aLineOfTextIsAnItemEvenIfItIsEmpty() throws IOException {
    List<InputItem> items = read("items.txt", "first\n\nthird");

    assertThat(items)
        .extracting(item -> item.content().getText())
        .containsExactly("first", "", "third");
    assertThat(items).extracting(InputItem::number).containsExactly(0L, 1L, 2L);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      value = {
        "items.jsonl|{\"text\": \"a\"}~{\"text\": |:2: not valid JSON",
        "items.jsonl|{\"text\": \"a\"} x|:1: not valid JSON",
        "items.jsonl|[1]|:1: an item must be a JSON object, this is a list",
        "items.jsonl|{\"txt\": \"a\"}|its keys are [txt]",
        "items.jsonl|{\"text\": \"a\", \"text\": \"b\"}|:1: not valid JSON at column",
        "items.jsonl|{\"text\": \"a\", \"input_ids\": [1]}|both \"text\" and \"input_ids\"",
        "items.jsonl|{\"text\": 5}|\"text\" must be a string, this is a number",
        "items.jsonl|{\"input_ids\": []}|at least one token id",
        "items.jsonl|{\"input_ids\": [1, -1]}|has -1, which is not a token id",
        "items.jsonl|{\"input_ids\": [1.5]}|has 1.5, which is not a token id",
        "items.jsonl|{\"text\": \"a\", \"label\": {\"x\": 1}}|\"label\" must be a string",
        "items.jsonl|{\"text\": \"a\", \"label\": 99999999999999999999}|\"label\" must be",
        "items.jsonl|{\"text\": \"a\", \"label\": 1e39}|\"label\" must be a string, a finite number",
        "items.csv|label~x|must name a column \"text\"; it names label",
        "items.csv|text,text~a,b|names a column twice",
        "items.csv|text,label~a,b,c|:2: 3 fields where the header has 2",
        "items.csv|text,label~\"a|:2: a quoted field is never closed",
        "items.csv|text~\"a\"b|:2: text after a closing quote",
        "items.parquet|x|must end in .jsonl",
      })
  void saysWhereAndWhatIsWrong(String name, String content, String message) {
    assertThatThrownBy(() -> read(name, content.replace('~', '\n')))
        .isInstanceOf(BadItemException.class)
        .hasMessageStartingWith(directory.resolve(name).toString())
        .hasMessageContaining(message);
  }

  @Test
  void refusesBytesThatAreNotUtf8() throws IOException {
    Path file = directory.resolve("items.txt");
    Files.write(file, new byte[] {'o', 'k', '\n', (byte) 0xff, '\n'});

    assertThatThrownBy(() -> readAll(ItemFile.of(file)))
        .hasMessage(file + ":2: the line is not valid UTF-8; convert the file to UTF-8");
  }

  @Test
  void refusesNamesThatWouldCollide() throws IOException {
    ItemFile file = write("items.jsonl", "{\"id\": \"1\", \"text\": \"a\"}\n{\"text\": \"b\"}\n");

    assertThat(file.count()).isEqualTo(2);
    assertThatThrownBy(file::countDistinctlyNamed)
        .hasMessageEndingWith(":2: it is called \"1\", as the item of line 1");
  }

  @Test
  void refusesAFileThatIsNotThere() {
    assertThatThrownBy(() -> ItemFile.of(directory.resolve("none.jsonl")))
        .hasMessageEndingWith("none.jsonl: no such file");
  }

  private List<InputItem> read(String name, String content) throws IOException {
    return readAll(write(name, content));
  }

  private ItemFile write(String name, String content) throws IOException {
    Path file = directory.resolve(name);
    Files.writeString(file, content, StandardCharsets.UTF_8);
    return ItemFile.of(file);
  }

  private static List<InputItem> readAll(ItemFile file) throws IOException {
    List<InputItem> all = new ArrayList<>();
    try (ItemFile.Items items = file.open()) {
      items.forEachRemaining(all::add);
    }
    return all;
  }
}
