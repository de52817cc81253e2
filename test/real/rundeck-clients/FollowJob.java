// Follows one job of a Rundeck with the library of the command rd: lists, runs, reads state and output, aborts.
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.rundeck.client.RundeckClient;
import org.rundeck.client.api.RequestFailed;
import org.rundeck.client.api.RundeckApi;
import org.rundeck.client.api.model.Execution;
import org.rundeck.client.api.model.JobItem;
import org.rundeck.client.api.model.JobRun;
import org.rundeck.client.util.Client;

public class FollowJob {
  static Client<RundeckApi> client;

  static Execution run(String job, Map<String, String> options, String service) throws Exception {
    Map<String, String> all = new HashMap<>(options);
    if (service != null) all.put("service_name", service);
    JobRun request = new JobRun();
    request.setOptions(all);
    request.setFilter("name: web-01");
    return client.apiCall(api -> api.runJob(job, request));
  }

  static List<String> follow(String id) throws Exception {
    List<String> lines = new ArrayList<>();
    long[] offset = {0};
    for (int turn = 0; turn < 200; turn++) {
      var output = client.apiCall(api -> api.getOutput(id, offset[0]));
      for (var entry : output.entries) lines.add(entry.log);
      offset[0] = output.offset;
      if (output.completed && output.execCompleted) return lines;
      Thread.sleep(50);
    }
    throw new IllegalStateException("the execution never ended");
  }

  public static void main(String[] words) throws Exception {
    ObjectMapper json = new ObjectMapper();
    String project = words[2];
    @SuppressWarnings("unchecked")
    Map<String, String> options = json.readValue(words[3], Map.class);
    List<String> errors = new ArrayList<>();
    Client.Logger logger =
        new Client.Logger() {
          public void output(String text) {}

          public void warning(String text) {}

          public void error(String text) {
            errors.add(text);
          }
        };
    client = RundeckClient.builder().baseUrl(words[0] + "/api/58").tokenAuth(words[1]).logger(logger).build();
    Map<String, Object> seen = new TreeMap<>();

    List<JobItem> jobs = client.apiCall(api -> api.listJobs(project, null, null, null, null));
    TreeSet<String> names = new TreeSet<>();
    for (JobItem each : jobs) names.add(each.getGroup() + "/" + each.getName());
    seen.put("jobs", names);
    String job = jobs.stream().filter(each -> each.getName().equals("restart-service")).findFirst().get().getId();

    Execution first = run(job, options, null);
    seen.put("began", first.getStatus());
    seen.put("lines", follow(first.getId()));
    Execution ended = client.apiCall(api -> api.getExecution(first.getId()));
    seen.put("ended", ended.getStatus());
    seen.put("nodes", ended.getSuccessfulNodes());

    Execution second = run(job, options, "hanging");
    List<String> running = new ArrayList<>();
    for (Execution each : client.apiCall(api -> api.runningExecutions(project, 0, 20)).getExecutions()) {
      running.add(each.getId());
    }
    seen.put("running", running);
    seen.put("abort", client.apiCall(api -> api.abortExecution(second.getId())).abort.status);
    follow(second.getId());
    seen.put("aborted", client.apiCall(api -> api.getExecution(second.getId())).getStatus());
    TreeSet<String> listed = new TreeSet<>();
    var all = client.apiCall(api -> api.listExecutions(project, new HashMap<>(), null, null, null, null));
    for (Execution each : all.getExecutions()) listed.add(each.getId());
    seen.put("executions", listed);
    try {
      run(job, options, "-h");
    } catch (RequestFailed error) {
      // What the API said goes to the logger, the exception has the status alone.
      seen.put("refused", error.getStatusCode() + " " + String.join(" ", errors));
    }
    System.out.println(json.writeValueAsString(seen));
    System.exit(0);
  }
}
