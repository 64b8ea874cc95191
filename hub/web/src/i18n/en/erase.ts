export default {
  title: "Erase the personal data of {name}",
  hint: "At their own request: name, phone and document go for good, also where somebody wrote them into a note. Records without personal data, such as the dates of the lease, stay. It cannot be undone. The hub refuses while they live there, while a lease goes on and under a legal hold.",
  reasonHint: "When and how they asked; it goes into the audit trail",
  sure: "I have made sure that the request is theirs and that they have moved out",
  tick: "Make sure of it first",
  do: "Erase personal data",
};
