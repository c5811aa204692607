// HAPI's generic client lives a resource's whole life: created, read, changed, found, deleted, gone. A step a line.
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.interceptor.BearerTokenAuthInterceptor;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CodeableConcept;
import org.hl7.fhir.r4.model.Coding;
import org.hl7.fhir.r4.model.Observation;
import org.hl7.fhir.r4.model.Quantity;
import org.hl7.fhir.r4.model.Reference;

public class Writes {
  public static void main(String[] arguments) {
    IGenericClient client = FhirContext.forR4().newRestfulGenericClient(arguments[0]);
    client.registerInterceptor(new BearerTokenAuthInterceptor(arguments[1]));
    Observation sent = new Observation();
    sent.setStatus(Observation.ObservationStatus.PRELIMINARY);
    sent.setCode(new CodeableConcept(new Coding("urn:example", "hapi", "of HAPI")));
    sent.setSubject(new Reference("Patient/amy"));
    sent.setValue(new Quantity().setValue(new java.math.BigDecimal("72.50")));

    MethodOutcome made = client.create().resource(sent).execute();
    String id = made.getId().getIdPart();
    say("created", made.getCreated() + " version " + made.getId().getVersionIdPart());
    Observation read = client.read().resource(Observation.class).withId(id).execute();
    say("read", read.getStatus().toCode() + " " + read.getValueQuantity().getValue().toPlainString());
    read.setStatus(Observation.ObservationStatus.FINAL);
    say("updated", "version " + client.update().resource(read).execute().getId().getVersionIdPart());
    Bundle found = client.search().forResource(Observation.class)
        .where(Observation.CODE.exactly().systemAndCode("urn:example", "hapi"))
        .and(Observation.PATIENT.hasId("amy")).returnBundle(Bundle.class).execute();
    Observation match = (Observation) found.getEntryFirstRep().getResource();
    say("found", found.getTotal() + " " + match.getStatus().toCode() + " " + match.getIdElement().getIdPart().equals(id));
    client.delete().resourceById("Observation", id).execute();
    say("gone", refused(() -> client.read().resource(Observation.class).withId(id).execute()));
    sent.setSubject(new Reference("Patient/ben"));
    say("of another", refused(() -> client.create().resource(sent).execute()));
    read.setId("ben-hba1c-1");
    say("hidden", refused(() -> client.update().resource(read).execute()));
  }

  private static String refused(Runnable request) {
    try {
      request.run();
      return "nothing";
    } catch (BaseServerResponseException refusal) {
      return refusal.getStatusCode() + " " + (refusal.getOperationOutcome() != null);
    }
  }

  private static void say(String step, String what) {
    System.out.println(step + ": " + what);
  }
}
