import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.header.Headers;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.storage.SimpleHeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.field.FieldSyntaxVersion;
import org.apache.kafka.connect.transforms.field.SingleFieldPath;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/**
 * Runs cases through Kafka Connect's own transforms and predicates and adds what came out.
 *
 * Reads lines of JSON on standard input, one case each, and writes them with "result", "dropped",
 * "matches", "steps" or "error" on standard output. cases.py says what a case looks like.
 */
public class ConnectTable {
    private static final ObjectMapper JSON =
        new ObjectMapper().configure(JsonParser.Feature.STRICT_DUPLICATE_DETECTION, true);
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    /** What Connect writes headers with, unless told otherwise. */
    private static final SimpleHeaderConverter HEADERS = new SimpleHeaderConverter();
    private static final String PACKAGE = "org.apache.kafka.connect.transforms.";

    public static void main(String[] arguments) throws Exception {
        java.io.BufferedReader input = new java.io.BufferedReader(
            new java.io.InputStreamReader(System.in, "UTF-8"));
        java.io.PrintStream output = new java.io.PrintStream(System.out, false, "UTF-8");
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            ObjectNode given = (ObjectNode) JSON.readTree(line);
            try {
                run(given);
            } catch (ConfigException error) {
                given.put("error", "configuration");
            } catch (DataException error) {
                given.put("error", "data");
            } catch (RuntimeException error) {
                // Connect's tasks treat what a transform throws alike, whatever its class.
                given.put("error", error.getClass().getSimpleName());
            }
            output.println(JSON.writeValueAsString(given));
        }
        output.flush();
    }

    private static void run(ObjectNode given) throws Exception {
        if (given.has("path")) {
            FieldSyntaxVersion version = FieldSyntaxVersion.valueOf(given.get("syntax").asText());
            SingleFieldPath path = new SingleFieldPath(given.get("path").asText(), version);
            java.lang.reflect.Field steps = SingleFieldPath.class.getDeclaredField("steps");
            steps.setAccessible(true);
            ArrayNode list = given.putArray("steps");
            for (Object step : (List<?>) steps.get(path)) list.add((String) step);
            return;
        }
        Map<String, String> configuration = new LinkedHashMap<>();
        given.get("config").fields()
            .forEachRemaining(entry -> configuration.put(entry.getKey(), entry.getValue().asText()));
        Object plugin = Class.forName(PACKAGE + given.get("type").asText())
            .getDeclaredConstructor().newInstance();
        if (plugin instanceof Predicate) {
            @SuppressWarnings("unchecked") Predicate<SinkRecord> predicate = (Predicate<SinkRecord>) plugin;
            predicate.configure(configuration);
            given.put("matches", predicate.test(record(given.get("record"))));
            return;
        }
        @SuppressWarnings("unchecked") Transformation<SinkRecord> transform =
            (Transformation<SinkRecord>) plugin;
        transform.configure(configuration);
        SinkRecord result = transform.apply(record(given.get("record")));
        if (result == null) {
            given.put("dropped", true);
        } else {
            given.set("result", write(result));
        }
    }

    // Records from JSON

    private static SinkRecord record(JsonNode node) {
        ConnectHeaders headers = new ConnectHeaders();
        if (node.has("headers")) {
            for (JsonNode header : node.get("headers")) {
                SchemaAndValue value = typed(header.get(1));
                headers.add(header.get(0).asText(), value);
            }
        }
        SchemaAndValue key = typed(node.get("key"));
        SchemaAndValue value = typed(node.get("value"));
        return new SinkRecord(
            node.path("topic").asText("orders"), node.path("partition").asInt(3),
            key.schema(), key.value(), value.schema(), value.value(),
            node.path("offset").asLong(42),
            node.path("timestamp").isNull() ? null : node.path("timestamp").asLong(1700000000123L),
            TimestampType.CREATE_TIME, headers);
    }

    private static SchemaAndValue typed(JsonNode node) {
        if (node == null || node.isNull()) return SchemaAndValue.NULL;
        Schema schema = node.has("schema") ? schema(node.get("schema")) : null;
        return new SchemaAndValue(schema, value(schema, node.get("value")));
    }

    private static Schema schema(JsonNode node) {
        SchemaBuilder builder;
        JsonNode description = node.isTextual() ? NODES.objectNode().put("type", node.asText()) : node;
        String type = description.get("type").asText();
        if (type.equals("array")) {
            builder = SchemaBuilder.array(schema(description.get("items")));
        } else if (type.equals("map")) {
            builder = SchemaBuilder.map(Schema.STRING_SCHEMA, schema(description.get("items")));
        } else {
            builder = new SchemaBuilder(Schema.Type.valueOf(type.toUpperCase(java.util.Locale.ROOT)));
        }
        if (description.has("fields")) {
            description.get("fields")
                .forEach(field -> builder.field(field.get(0).asText(), schema(field.get(1))));
        }
        if (description.has("name")) builder.name(description.get("name").asText());
        if (description.has("version")) builder.version(description.get("version").asInt());
        if (description.has("scale")) builder.parameter("scale", description.get("scale").asText());
        if (description.path("optional").asBoolean()) builder.optional();
        if (description.has("default")) {
            Schema plain = builder.build();
            builder.defaultValue(value(plain, description.get("default")));
        }
        return builder.build();
    }

    private static Object value(Schema schema, JsonNode node) {
        if (node == null || node.isNull()) return null;
        String kind = node.fieldNames().next();
        JsonNode content = node.get(kind);
        switch (kind) {
            case "int8": return (byte) content.asInt();
            case "int16": return (short) content.asInt();
            case "int32": return content.asInt();
            case "int64": return content.asLong();
            case "float32": return Float.valueOf(content.asText());
            case "float64": return Double.valueOf(content.asText());
            case "boolean": return content.asBoolean();
            case "string": return content.asText();
            case "bytes": return Base64.getDecoder().decode(content.asText());
            case "decimal": return new BigDecimal(content.asText());
            case "date": return new Date(content.asLong());
            case "array": {
                List<Object> list = new ArrayList<>();
                Schema items = schema == null ? null : schema.valueSchema();
                content.forEach(item -> list.add(value(items, item)));
                return list;
            }
            case "map": {
                Map<String, Object> map = new LinkedHashMap<>();
                Schema items = schema == null ? null : schema.valueSchema();
                content.forEach(item -> map.put(item.get(0).asText(), value(items, item.get(1))));
                return map;
            }
            case "struct": {
                Struct struct = new Struct(schema);
                content.forEach(item -> {
                    String name = item.get(0).asText();
                    struct.put(name, value(schema.field(name).schema(), item.get(1)));
                });
                return struct;
            }
            default: throw new IllegalArgumentException(kind);
        }
    }

    // Records to JSON

    private static ObjectNode write(SinkRecord record) {
        ObjectNode node = NODES.objectNode();
        node.put("topic", record.topic());
        if (record.kafkaPartition() != null) node.put("partition", record.kafkaPartition());
        if (record.timestamp() != null) node.put("timestamp", record.timestamp());
        node.set("key", write(record.keySchema(), record.key()));
        node.set("value", write(record.valueSchema(), record.value()));
        Headers headers = record.headers();
        if (!headers.isEmpty()) {
            ArrayNode list = node.putArray("headers");
            for (Header header : headers) {
                byte[] text = HEADERS.fromConnectHeader("", header.key(), header.schema(), header.value());
                ArrayNode pair = list.addArray().add(header.key());
                if (text == null) {
                    pair.addNull();
                } else {
                    pair.add(new String(text, java.nio.charset.StandardCharsets.UTF_8));
                }
            }
        }
        return node;
    }

    private static JsonNode write(Schema schema, Object value) {
        if (schema == null && value == null) return NODES.nullNode();
        ObjectNode node = NODES.objectNode();
        if (schema != null) node.set("schema", describe(schema));
        node.set("value", write(value));
        return node;
    }

    private static JsonNode describe(Schema schema) {
        ObjectNode node = NODES.objectNode().put("type", schema.type().getName());
        if (schema.type() == Schema.Type.STRUCT) {
            ArrayNode fields = node.putArray("fields");
            for (Field field : schema.fields()) {
                fields.addArray().add(field.name()).add(describe(field.schema()));
            }
        }
        if (schema.type() == Schema.Type.ARRAY || schema.type() == Schema.Type.MAP) {
            node.set("items", describe(schema.valueSchema()));
        }
        if (schema.name() != null) node.put("name", schema.name());
        if (schema.version() != null) node.put("version", schema.version());
        Map<String, String> parameters = schema.parameters();
        if (parameters != null && parameters.containsKey("scale")) {
            node.put("scale", parameters.get("scale"));
        }
        if (schema.isOptional()) node.put("optional", true);
        if (schema.defaultValue() != null) node.set("default", write(schema.defaultValue()));
        return node.size() == 1 ? node.get("type") : node;
    }

    private static JsonNode write(Object value) {
        ObjectNode node = NODES.objectNode();
        if (value == null) return NODES.nullNode();
        if (value instanceof Byte) return node.put("int8", (Byte) value);
        if (value instanceof Short) return node.put("int16", (Short) value);
        if (value instanceof Integer) return node.put("int32", (Integer) value);
        if (value instanceof Long) return node.put("int64", (Long) value);
        if (value instanceof Float) return node.put("float32", value.toString());
        if (value instanceof Double) return node.put("float64", value.toString());
        if (value instanceof Boolean) return node.put("boolean", (Boolean) value);
        if (value instanceof String) return node.put("string", (String) value);
        if (value instanceof byte[]) {
            return node.put("bytes", Base64.getEncoder().encodeToString((byte[]) value));
        }
        if (value instanceof java.nio.ByteBuffer) {
            java.nio.ByteBuffer buffer = ((java.nio.ByteBuffer) value).duplicate();
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            return write(bytes);
        }
        if (value instanceof BigDecimal) return node.put("decimal", ((BigDecimal) value).toPlainString());
        if (value instanceof java.math.BigInteger) return node.put("decimal", value.toString());
        if (value instanceof Date) return node.put("date", ((Date) value).getTime());
        if (value instanceof List) {
            ArrayNode list = node.putArray("array");
            ((List<?>) value).forEach(item -> list.add(write(item)));
            return node;
        }
        if (value instanceof Map) {
            ArrayNode list = node.putArray("map");
            // Connect's maps have no order of their own.
            new TreeMap<Object, Object>((Map<?, ?>) value)
                .forEach((name, item) -> list.addArray().add((String) name).add(write(item)));
            return node;
        }
        if (value instanceof Struct) {
            Struct struct = (Struct) value;
            ArrayNode list = node.putArray("struct");
            for (Field field : struct.schema().fields()) {
                list.addArray().add(field.name()).add(write(struct.getWithoutDefault(field.name())));
            }
            return node;
        }
        return node.put(value.getClass().getName(), value.toString());
    }
}
