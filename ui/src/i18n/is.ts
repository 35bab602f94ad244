import { en, type Catalogue } from './en';

export const is: Catalogue = { ...en };
