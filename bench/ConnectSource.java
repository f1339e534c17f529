import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import javax.management.InstanceNotFoundException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.connector.policy.AllConnectorClientConfigOverridePolicy;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.runtime.Worker;
import org.apache.kafka.connect.runtime.isolation.Plugins;
import org.apache.kafka.connect.runtime.standalone.StandaloneConfig;
import org.apache.kafka.connect.runtime.standalone.StandaloneHerder;
import org.apache.kafka.connect.storage.FileOffsetBackingStore;

/**
 * A standalone worker of Kafka Connect, without its REST API, whose FileStreamSource puts the lines
 * of a file into a topic. Writes the seconds from the first record to the last to REPORT.
 *
 * Arguments: BOOTSTRAP TOPIC FILE COUNT DIRECTORY shipped|tuned REPORT
 */
public final class ConnectSource {
    public static void main(String[] words) throws Exception {
        long count = Long.parseLong(words[3]);
        Map<String, String> settings = new HashMap<>();
        settings.put("bootstrap.servers", words[0]);
        settings.put("key.converter", "org.apache.kafka.connect.storage.StringConverter");
        settings.put("value.converter", "org.apache.kafka.connect.storage.StringConverter");
        settings.put("offset.storage.file.filename", Path.of(words[4], "offsets").toString());
        settings.put("plugin.discovery", "service_load");
        Map<String, String> connector = new HashMap<>();
        connector.put("name", "lines");
        connector.put("connector.class", "org.apache.kafka.connect.file.FileStreamSourceConnector");
        connector.put("tasks.max", "1");
        connector.put("file", words[2]);
        connector.put("topic", words[1]);
        if (words[5].equals("tuned")) {
            connector.put("batch.size", "20000");
            settings.put("producer.batch.size", "262144");
            settings.put("producer.linger.ms", "5");
            settings.put("producer.max.in.flight.requests.per.connection", "5");
        }

        var plugins = new Plugins(settings);
        plugins.compareAndSwapWithDelegatingLoader();
        var policy = new AllConnectorClientConfigOverridePolicy();
        policy.configure(Map.of());
        var converter = new JsonConverter();
        converter.configure(Map.of("schemas.enable", "false"), true);
        var configuration = new StandaloneConfig(settings);
        var offsets = new FileOffsetBackingStore(converter);
        offsets.configure(configuration);
        var worker = new Worker(
            "bench", Time.SYSTEM, plugins, configuration, offsets, policy);
        var herder = new StandaloneHerder(worker, "bench", policy);
        herder.start();
        herder.putConnectorConfig("lines", connector, false, (error, made) -> {
            if (error != null) {
                error.printStackTrace();
                System.exit(1);
            }
        });

        MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
        var name = new ObjectName("kafka.connect:type=source-task-metrics,connector=lines,task=0");
        double written = 0;
        long first = 0;
        while (written < count) {
            Thread.sleep(5);
            try {
                written = (Double) beans.getAttribute(name, "source-record-write-total");
            } catch (InstanceNotFoundException notYet) {
                continue;
            }
            if (first == 0 && written > 0) {
                first = System.nanoTime();
            }
        }
        Files.writeString(Path.of(words[6]), Double.toString((System.nanoTime() - first) / 1e9));
        herder.stop();
        System.exit(0);
    }
}
