// Serves the records of bench/fhir_records.py by the recipe's Server, from memory: patients and observations of each.
import ca.uhn.fhir.model.api.TemporalPrecisionEnum;
import ca.uhn.fhir.rest.annotation.IdParam;
import ca.uhn.fhir.rest.annotation.OptionalParam;
import ca.uhn.fhir.rest.annotation.Read;
import ca.uhn.fhir.rest.annotation.RequiredParam;
import ca.uhn.fhir.rest.annotation.Search;
import ca.uhn.fhir.rest.annotation.Sort;
import ca.uhn.fhir.rest.api.SortOrderEnum;
import ca.uhn.fhir.rest.api.SortSpec;
import ca.uhn.fhir.rest.param.ReferenceParam;
import ca.uhn.fhir.rest.param.TokenParam;
import ca.uhn.fhir.rest.server.IResourceProvider;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TimeZone;
import org.hl7.fhir.r4.model.CodeableConcept;
import org.hl7.fhir.r4.model.Coding;
import org.hl7.fhir.r4.model.DateTimeType;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.Observation;
import org.hl7.fhir.r4.model.Quantity;
import org.hl7.fhir.r4.model.Reference;

public class HapiRecords implements IResourceProvider {
  private static final Instant MOMENT = Instant.parse("2026-01-01T00:00:00Z");
  private static final Comparator<Observation> BY_DATE =
      Comparator.comparing(each -> each.getEffectiveDateTimeType().getValue());

  private final Map<String, Observation> byId = new HashMap<>();
  private final Map<String, List<Observation>> byPatient = new HashMap<>();

  public static void main(String[] arguments) throws Exception {
    HapiRecords records = new HapiRecords();
    for (int patient = 0; patient < Integer.parseInt(arguments[0]); patient++) {
      for (int number = 0; number < Integer.parseInt(arguments[1]); number++) records.add("patient-" + patient, number);
    }
    Server.serve(records);
  }

  private void add(String patient, int number) {
    Observation made = new Observation();
    made.setId(new IdType("Observation", patient + "-" + number, "1"));
    made.getMeta().setLastUpdated(Date.from(MOMENT));
    made.setStatus(Observation.ObservationStatus.FINAL);
    made.setCode(new CodeableConcept(new Coding("http://loinc.org", "85354-9", null)));
    made.setSubject(new Reference("Patient/" + patient));
    Date moment = Date.from(MOMENT.plus(Duration.ofDays(3L * number)));
    made.setEffective(new DateTimeType(moment, TemporalPrecisionEnum.SECOND, TimeZone.getTimeZone("UTC")));
    made.setValue(new Quantity(72.5).setUnit("kg"));
    byId.put(patient + "-" + number, made);
    byPatient.computeIfAbsent(patient, any -> new ArrayList<>()).add(made);
  }

  @Override
  public Class<Observation> getResourceType() {
    return Observation.class;
  }

  @Read
  public Observation read(@IdParam IdType id) {
    return byId.get(id.getIdPart());
  }

  /** The middleware adds the patient, so that every search names one. */
  @Search
  public List<Observation> search(
      @RequiredParam(name = "patient") ReferenceParam patient,
      @OptionalParam(name = "code") TokenParam code,
      @Sort SortSpec sort) {
    Comparator<Observation> order =
        sort != null && sort.getOrder() == SortOrderEnum.DESC ? BY_DATE.reversed() : BY_DATE;
    return byPatient.getOrDefault(patient.getIdPart(), List.of()).stream()
        .filter(each -> code == null || is(each.getCode().getCodingFirstRep(), code)).sorted(order).toList();
  }

  private static boolean is(Coding coding, TokenParam wanted) {
    return coding.getCode().equals(wanted.getValue()) && coding.getSystem().equals(wanted.getSystem());
  }
}
