"""Every word of the consent lines, in one place for translators. The order of TYPES is the order shown."""

TYPES = {
    "Patient": "Name, birth date and contact details",
    "AllergyIntolerance": "Allergies and intolerances",
    "Condition": "Health problems and diagnoses",
    "Observation": "Test results and measurements",
    "MedicationRequest": "Prescribed medicines",
    "MedicationOrder": "Prescribed medicines",
    "MedicationStatement": "Medicines taken",
    "MedicationDispense": "Medicines handed out",
    "Medication": "What the medicines are made of",
    "Immunization": "Vaccinations",
    "Procedure": "Operations and treatments",
    "Encounter": "Visits and hospital stays",
    "DiagnosticReport": "Reports of tests and examinations",
    "DocumentReference": "Letters, reports and scanned documents",
    "Specimen": "Samples taken for tests",
    "Media": "Pictures, sounds and films",
    "CarePlan": "Care plans",
    "CareTeam": "People who care for {subject}",
    "Goal": "Health goals",
    "Device": "Implants and devices",
    "Appointment": "Appointments",
    "Coverage": "Insurance",
    "ExplanationOfBenefit": "Bills and what was paid",
    "FamilyMemberHistory": "Illnesses in the family",
    "QuestionnaireResponse": "Answers to questionnaires",
    "ServiceRequest": "Orders and referrals",
    "Provenance": "Who recorded what",
    "Binary": "Attached files",
    "RelatedPerson": "Family and contacts",
    "Practitioner": "Doctors named in the record",
    "PractitionerRole": "Doctors' roles named in the record",
    "Organization": "Clinics named in the record",
    "Location": "Places named in the record",
}
UNKNOWN_TYPE = "Another kind of data: {type}"
UNKNOWN_TYPE_CHANGED = "data of another kind: {type}"
UNKNOWN_TYPE_HINT = "The standard's name; we have no simpler one yet."

# What is seen: by context, a type and everything.
SEE = {"patient": "{kind}", "user": "{kind} of every patient that you may see at {server}"}
# Where the same page also tells of what the person may see of everybody, lines of the one record say so.
IN_ONE_RECORD = "{sentence}, in {record}"
SEE_ALL = {
    "patient": "Everything in {record}",
    "user": "Everything that you may see at {server}, for every patient, also future data",
}
SEE_ALL_HINT = (
    "All data there is today, and also future data: "
    "kinds that {server} starts to record later are included without asking you again."
)
RECORD_OWN = "your record"
RECORD_OF = "the record of {subject}"
SUBJECT_OWN = "you"
SUBJECT_ANYBODY = "them"

# What is changed: by the letters, a type and everything.
CHANGE = {
    "c": "Add new {kind}",
    "u": "Change {kind} that are there already",
    "d": "Delete {kind}",
    "cu": "Add and change {kind}",
    "cd": "Add and delete {kind}",
    "ud": "Change and delete {kind}",
    "cud": "Add, change and delete {kind}",
}
CHANGE_ALL = {
    "c": "Add to everything {reach}",
    "u": "Change everything {reach}",
    "d": "Delete everything {reach}",
    "cu": "Add and change everything {reach}",
    "cd": "Add to and delete everything {reach}",
    "ud": "Change and delete everything {reach}",
    "cud": "Add, change and delete everything {reach}",
}
REACH = {
    "patient": "in {record}, also kinds recorded later",
    "user": "that you may change at {server}, for every patient, also future data",
}
OF_EVERY_PATIENT = "{sentence}, for every patient that you may see at {server}"
DELETE = ("Delete", "delete")
ADD_HINT = "It cannot change or delete older ones."
DELETE_HINT = "What is deleted may not come back."
BLIND_HINT = "It cannot read them."

# Kinds within a type, by the code of their category; the codes themselves stand in categories.json.
KINDS = {
    "vital-signs": "Vital signs",
    "laboratory": "Laboratory results",
    "social-history": "Smoking, work and living",
    "survey": "Questionnaires and surveys",
    "sdoh": "Living conditions",
    "imaging": "Findings from pictures",
    "exam": "Examination findings",
    "activity": "Activity",
    "functional-status": "Daily abilities",
    "procedure": "Clinical tests, such as an ECG",
    "problem-list-item": "Long-term problems",
    "encounter-diagnosis": "Diagnoses from visits",
    "health-concern": "Health concerns",
}
KIND_HINTS = {
    "Observation": "Laboratory values, weight, height, blood pressure, answers to questionnaires",
}
WHOLE, EVERYTHING, SOME, NONE = "All kinds", "Everything", "Only some kinds", "None"
PART = "{kind}: only those marked {codes}"
CODE, OR, AND = "{code} in {system}", " or ", " and "
PART_HINT = "Ask the maker of the app what that means."

RECOGNISE = "Recognise you next time, by a number, without your name"
IDENTITY = "Your name and your role"
ACCOUNT = "Your name, your user name and your language"
EMAIL = "Your email address"
OFFLINE = "Until I take it back, also while I am not using the app"
OFFLINE_HINT = "It can then get new data by itself, also at night."
ONLINE = "As long as I am signed in here"
ONLINE_HINT = "It ends when I sign out."
ONLY_NOW = "Only now"
ONLY_NOW_HINT = "It ends in {duration}. The app must ask you again after that."
WHENEVER = "Whenever I am signed in here"
WHENEVER_HINT = "I am not asked again, until I take it back or have not used it for {days} days."
SECONDS, MINUTES, ONE_MINUTE = "{count} seconds", "{count} minutes", "1 minute"
