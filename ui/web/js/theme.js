// Light or dark: as the system has it, or as the reader chose.

const system = matchMedia('(prefers-color-scheme: dark)');

export function themeChoice() {
  return localStorage.getItem('hearth.theme') ?? 'system';
}

function apply() {
  const choice = themeChoice();
  document.documentElement.dataset.theme = choice === 'system' ? (system.matches ? 'dark' : 'light') : choice;
}

export function setTheme(choice) {
  if (choice === 'system') localStorage.removeItem('hearth.theme');
  else localStorage.setItem('hearth.theme', choice);
  apply();
}

export function startTheme() {
  apply();
  system.addEventListener('change', apply);
}
